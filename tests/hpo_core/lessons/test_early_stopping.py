"""Early stopping: the rule against a worked example, losses that are the engine's, and a check that is no gift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._training_curves import CHECKS, FOLDS, Boosting, stop_of
from hpo_core.lessons.early_stopping import EarlyStopping
from hpo_core.options import with_options
from tests.settled_scene import settled

PREDICTED = LessonState(moves=("guessed",), guess="Up to 48 trees")


def lesson_of(**options) -> EarlyStopping:
    return with_options(LESSONS["early_stopping"], options)


@pytest.mark.parametrize(
    ("patience", "gain", "last", "best"),
    [(1, 0.0, 2, 1), (2, 0.0, 5, 3), (3, 0.0, 6, 3), (2, 0.1, 3, 1), (9, 0.0, 6, 3)],
)
def test_training_stops_after_so_many_looks_without_a_gain(patience, gain, last, best):
    stop = stop_of([1.0, 0.80, 0.85, 0.79, 0.9, 0.95, 0.97], patience, gain)
    assert (stop.last, stop.best) == (last, best)
    assert len(stop.waits) == last + 1


def test_what_stops_late_has_no_higher_loss():
    losses = np.random.default_rng(1).random(60)
    found = [losses[stop_of(losses, patience, 0.0).best] for patience in range(1, 20)]
    assert (np.diff(found) <= 0).all()


def test_real_training_is_predicted_stopped_revealed_and_its_check_is_no_gift(workshop):
    first = settled(lesson_of(), LessonState(), workshop)
    assert first.ask.choices[0] == PREDICTED.guess
    assert first.film.n_steps == 0
    assert not first.check.is_done

    shown = settled(lesson_of(), PREDICTED, workshop)
    assert shown.told[0].text.startswith("You predicted")
    assert not shown.check.is_done  # with the patience that it begins with, one fold gives up too soon
    curves = workshop.get(Boosting(0.15), pytest.fail)
    assert curves.valid.shape == curves.train.shape == (FOLDS, CHECKS)
    assert (curves.valid[:, 0] > curves.valid.min(axis=1) + 0.1).all()
    assert (curves.train[:, -1] < curves.valid[:, -1]).all()
    stop = stop_of(curves.valid[0], 2, 0.0)
    assert shown.film.n_steps == stop.last
    assert len(shown.film.says) == stop.last + 1
    assert "if trained on" not in {trace.get("name") for trace in shown.film.boards[0].figure["data"]}

    revealed = settled(lesson_of(), replace(PREDICTED, is_revealed=True), workshop)
    assert "if trained on" in {trace.get("name") for trace in revealed.film.boards[0].figure["data"]}
    assert settled(lesson_of(patience=5), PREDICTED, workshop).check.is_done
    assert not settled(lesson_of(patience=12), PREDICTED, workshop).check.is_done
