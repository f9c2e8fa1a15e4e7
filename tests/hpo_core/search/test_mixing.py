"""Ensembles in the background: how far they are, one at a time, and what becomes of one that cannot be made."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from hpo_core import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study
from hpo_core.search.mixing import Mix, Mixer
from hpo_core.search.study_ensemble import ensemble_of
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from tests.finished_trials import finished

PATIENCE = 120.0


@pytest.fixture
def mixer(studies: StudyStorage) -> Iterator[Mixer]:
    made = Mixer(studies)
    yield made
    made.shutdown()


def tried(studies: StudyStorage, n_trials: int, data: str = "iris", model: str = "nearest_neighbours") -> Study:
    """A study with so many finished trials, of which nothing was fitted."""
    problem = make_problem(data, model, protocol=Protocol(folds=3))
    study, source = make_study(studies, problem), random.Random(0)
    for index in range(n_trials):
        configuration = problem.space.from_unit([source.random() for _ in problem.space.names])
        study.record(finished(index, configuration=configuration))
    return study


def slow(studies: StudyStorage) -> Study:
    """A study whose best trials take minutes to fit again."""
    return tried(studies, 20, "digits", "gradient_boosting")


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_fitting(mix: Mix) -> bool:
    assert not mix.is_over, mix.fault
    return mix.progress.total > 0


def test_ensemble_made_in_the_background_is_that_of_the_engine(studies, mixer):
    study = tried(studies, 6)
    mix = mixer.start(study, top=4)
    assert mix.wait(PATIENCE)
    problem = make_problem("iris", "nearest_neighbours", protocol=Protocol(folds=3))
    assert mix.fault == ""
    assert mix.ensemble == ensemble_of(problem, study.read(), top=4)
    assert (mix.progress.done, mix.progress.total, mix.progress.seconds_left) == (4, 4, 0.0)
    assert mix.n_trials == 6
    assert mixer.of(study) is mix
    assert not psutil.pid_exists(mix.pid)


def test_ensemble_under_way_is_not_begun_twice_and_tells_the_time_left(studies, mixer):
    study = slow(studies)
    mix = mixer.start(study)
    assert mixer.start(study) is mix
    wait_until(lambda: is_fitting(mix))
    assert mixer.start(studies.study(study.name)) is mix
    assert mix.progress.total == 20
    assert mix.progress.seconds_left > 0


def test_cancelled_ensemble_leaves_no_process_and_another_can_begin(studies, mixer):
    study = slow(studies)
    mix = mixer.start(study)
    wait_until(lambda: is_fitting(mix))
    mixer.forget(study)
    assert mix.wait(PATIENCE)
    assert not psutil.pid_exists(mix.pid)
    assert (mix.ensemble, mix.fault) == (None, "")
    assert mixer.of(study) is None
    assert mixer.start(study) is not mix


def test_second_study_waits_for_its_turn_and_can_be_cancelled_meanwhile(studies, mixer):
    first, second = mixer.start(slow(studies)), mixer.start(tried(studies, 3))
    wait_until(lambda: is_fitting(first))
    assert second.pid is None
    second.cancel()
    first.cancel()
    assert second.wait(PATIENCE)
    assert second.pid is None


def test_process_that_is_killed_is_said(studies, mixer):
    mix = mixer.start(slow(studies))
    wait_until(lambda: is_fitting(mix))
    os.kill(mix.pid, signal.SIGKILL)
    assert mix.wait(PATIENCE)
    assert "want of memory" in mix.fault


def test_study_that_is_deleted_meanwhile_ends_its_ensemble_with_a_sentence(studies, mixer):
    study = slow(studies)
    mix = mixer.start(study)
    wait_until(lambda: is_fitting(mix))
    studies.delete(study.name)
    assert mix.wait(PATIENCE)
    assert "no longer there" in mix.fault
    assert mix.ensemble is None


def test_study_without_a_finished_trial_is_refused_in_a_sentence(studies, mixer):
    mix = mixer.start(tried(studies, 0))
    assert mix.wait(PATIENCE)
    assert "nothing to mix" in mix.fault


def test_end_of_the_lab_ends_what_is_being_made(studies, mixer):
    mix = mixer.start(slow(studies))
    wait_until(lambda: is_fitting(mix))
    mixer.shutdown()
    assert mix.is_over
    assert not psutil.pid_exists(mix.pid)
