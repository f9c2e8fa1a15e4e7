"""A person's nudges: newest wins, first fold first, each configuration recorded once."""

import math

import numpy as np
import pytest

from hpo_core.errors import ConfigurationError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study
from hpo_core.search.manual import ManualArm
from hpo_core.space import Categorical, Float
from tests.moody_landscape import X, fits_done, moody, wait_until

_FOLDS = Protocol(folds=4)


@pytest.fixture
def arm(one_worker, fits):
    manual = ManualArm(one_worker, fits)
    yield manual
    manual.close()


@pytest.fixture
def slow():
    """Four looks of a fifth of a second."""
    return moody(X, Float(name="seconds", low=0.0, high=600.0, default=0.2), noise=0.1, protocol=_FOLDS)


def _recorded(nudge):
    with nudge.changed:
        assert nudge.changed.wait_for(lambda: nudge.number is not None or nudge.storage_fault, timeout=60)
    return nudge.number


def test_folds_arrive_first_fold_first_and_the_value_follows(arm, slow):
    nudge = arm.nudge(slow, slow.space.default(), who="ada")
    assert not nudge.is_done
    for n in range(1, 5):
        assert nudge.wait(n, seconds=60)
        scores = np.array(nudge.fold_scores)
        n_done = int(np.isfinite(scores).sum())
        assert n_done >= n
        assert np.isfinite(scores[:n_done]).all()
    assert nudge.is_done
    expected = [slow.fit(slow.space.default(), fold).score for fold in range(4)]
    assert nudge.fold_scores == pytest.approx(tuple(expected))
    assert nudge.value == pytest.approx(np.mean(expected))


def test_newer_nudge_of_the_same_person_cancels_the_older(arm, slow, studies, pool_folder):
    study = make_study(studies, slow)
    older = arm.nudge(slow, {"x": 0.9011, "seconds": 600.0}, who="ada", study=study)
    wait_until(lambda: [f for f in fits_done(pool_folder) if f["x"] == 0.9011], "the older nudge to run")
    newer = arm.nudge(slow, {"x": 0.9012, "seconds": 0.0}, who="ada", study=study)
    assert older.is_cancelled
    assert older.is_done
    assert newer.wait(4, seconds=60)
    assert _recorded(newer) == 0
    assert len(study.read()) == 1
    assert len([f for f in fits_done(pool_folder) if f["x"] == 0.9011]) == 1


def test_nudge_that_is_given_up_keeps_its_scores_and_is_not_recorded(arm, slow, studies):
    study = make_study(studies, slow)
    nudge = arm.nudge(slow, {"x": 0.5, "seconds": 0.2}, who="ada", study=study)
    assert nudge.wait(1, 60)
    assert nudge.seconds_left > 0
    arm.cancel(nudge)
    assert nudge.wait_until_over(0)
    assert nudge.is_cancelled
    assert nudge.n_done >= 1
    arm.cancel(nudge)  # a second click
    arm.close()
    assert len(study.read()) == 0


def test_listeners_hear_of_each_change_until_they_leave(arm, slow):
    heard = []
    nudge = arm.nudge(slow, {"x": 0.25, "seconds": 0.2}, who="ada")
    with nudge.listener(lambda: heard.append(nudge.n_done)):
        assert nudge.wait_until_over(60)
    assert heard[-1] == slow.n_folds
    n_heard = len(heard)
    nudge.cancel()
    assert len(heard) == n_heard


def test_many_nudges_in_a_row_leave_only_the_last(arm, slow, studies):
    study = make_study(studies, slow)
    nudges = [arm.nudge(slow, {"x": i / 100, "seconds": 0.01}, who="ada", study=study) for i in range(30)]
    assert nudges[-1].wait(4, seconds=60)
    _recorded(nudges[-1])
    assert not nudges[-1].is_cancelled
    assert all(n.is_done for n in nudges)
    table = study.read()
    assert table.configuration(len(table) - 1)["x"] == 0.29
    assert table.is_complete.all()


def test_nudges_of_two_people_do_not_touch_each_other(arm, slow):
    first = arm.nudge(slow, {"x": 0.1, "seconds": 0.01}, who="ada")
    second = arm.nudge(slow, {"x": 0.2, "seconds": 0.01}, who="ben")
    assert first.wait(4, seconds=60)
    assert second.wait(4, seconds=60)
    assert not first.is_cancelled


def test_trial_is_recorded_with_its_folds_and_figures(arm, studies):
    problem = make_problem("iris", "decision_tree", protocol=Protocol(folds=3))
    study = make_study(studies, problem)
    nudge = arm.nudge(problem, problem.space.default(), who="ada", study=study)
    assert _recorded(nudge) == 0
    table = study.read()
    assert table.arms.tolist() == ["manual"]
    assert table.values[0] == pytest.approx(nudge.value)
    assert table.fold_scores[0] == pytest.approx(np.array(nudge.fold_scores))
    assert (table.fit_seconds > 0).all()


def test_repeated_configuration_is_not_recorded_twice_nor_fitted_twice(arm, slow, studies, pool_folder):
    study = make_study(studies, slow)
    configurations = [{"x": 0.7011, "seconds": 0.0}, {"x": 0.7012, "seconds": 0.0}, {"x": 0.7011, "seconds": 0.0}]
    numbers = []
    for configuration in configurations:
        nudge = arm.nudge(slow, configuration, who="ada", study=study)
        assert nudge.wait(4, seconds=60)
        numbers.append(_recorded(nudge))
    assert numbers == [0, 1, 0]
    assert len(study.read()) == 2
    assert len([f for f in fits_done(pool_folder) if f["x"] == 0.7011]) == 4


def test_default_is_recorded_as_the_default_arm(arm, slow, studies):
    study = make_study(studies, slow)
    nudge = arm.nudge(slow, {"x": 0.5, "seconds": 0.0}, who="ada", study=study, arm="default")
    _recorded(nudge)
    assert study.read().arms.tolist() == ["default"]


@pytest.mark.parametrize(("mood", "words"), [("angry", "out of temper"), ("lost", "no height"), ("gone", "was killed")])
def test_failed_fit_tells_its_reason_and_is_recorded_once(arm, studies, mood, words):
    problem = moody(X, Categorical(name="mood", choices=("calm", mood), default="calm"), noise=0.1, protocol=_FOLDS)
    study = make_study(studies, problem)
    nudge = arm.nudge(problem, {"x": 0.5, "mood": mood}, who="ada", study=study)
    assert nudge.wait(4, seconds=60)
    assert words in nudge.reason
    _recorded(nudge)
    well = arm.nudge(problem, {"x": 0.5, "mood": "calm"}, who="ada", study=study)
    assert well.wait(4, seconds=60)
    _recorded(well)
    table = study.read()
    assert table.is_failed.tolist() == [True, False]
    assert words in table.reasons[0]


def test_wrong_configuration_is_refused_at_once(arm, slow):
    with pytest.raises(ConfigurationError, match="x must lie from 0 to 1"):
        arm.nudge(slow, {"x": 2.0, "seconds": 0.0}, who="ada")


def test_study_that_is_gone_is_said_and_the_score_stays(arm, slow, studies):
    study = make_study(studies, slow)
    studies.delete(study.name)
    nudge = arm.nudge(slow, {"x": 0.25, "seconds": 0.0}, who="ada", study=study)
    assert nudge.wait(4, seconds=60)
    assert _recorded(nudge) is None
    assert "deleted" in nudge.storage_fault
    assert math.isfinite(nudge.value)


def test_unfinished_nudge_has_no_value_yet(arm, slow):
    nudge = arm.nudge(slow, {"x": 0.26, "seconds": 600.0}, who="ada")
    assert not nudge.wait(1, seconds=0.05)
    assert math.isnan(nudge.value)
    arm.nudge(slow, {"x": 0.26, "seconds": 0.0}, who="ada").wait(4, seconds=60)


def _begun(folder, *places):
    return [f["x"] for f in fits_done(folder) if f["x"] in places]


def test_first_folds_of_everybody_come_before_second_ones(arm, slow, pool_folder):
    people = {"ada": 0.3011, "ben": 0.3012, "cem": 0.3013}
    nudges = [arm.nudge(slow, {"x": x, "seconds": 0.3}, who=who) for who, x in people.items()]
    assert all(nudge.wait(4, seconds=60) for nudge in nudges)
    assert _begun(pool_folder, *people.values()) == [*people.values()] * 4


def test_people_who_ask_for_the_same_share_its_fits(arm, slow, pool_folder):
    same = {"x": 0.3021, "seconds": 0.1}
    ada, ben, cem = (arm.nudge(slow, same, who=who) for who in ("ada", "ben", "cem"))
    arm.nudge(slow, {"x": 0.3022, "seconds": 0.0}, who="ben")
    assert ada.wait(4, seconds=60)
    assert cem.wait(4, seconds=60)
    assert ben.is_cancelled
    assert ada.fold_scores == cem.fold_scores
    assert np.isfinite(cem.fold_scores).all()
    assert len(_begun(pool_folder, 0.3021)) == 4


def test_fits_that_nobody_waits_for_any_more_are_dropped(arm, slow, pool_folder):
    same = {"x": 0.3031, "seconds": 600.0}
    ada, ben = (arm.nudge(slow, same, who=who) for who in ("ada", "ben"))
    wait_until(lambda: _begun(pool_folder, 0.3031), "the shared fit to run")
    after = [arm.nudge(slow, {"x": x, "seconds": 0.0}, who=who) for who, x in (("ada", 0.3032), ("ben", 0.3033))]
    assert all(nudge.wait(4, seconds=60) for nudge in after)
    assert ada.is_cancelled
    assert ben.is_cancelled
    assert len(_begun(pool_folder, 0.3031)) == 1


def test_default_becomes_the_first_trial_also_when_a_nudge_is_scored_sooner(arm, slow, studies):
    study = make_study(studies, slow)
    known = {"x": 0.3041, "seconds": 0.0}
    assert arm.nudge(slow, known, who="ada").wait(4, seconds=60)
    default = arm.nudge(slow, slow.space.default(), who="first", study=study, arm="default")
    nudge = arm.nudge(slow, known, who="ada", study=study)
    assert nudge.is_done
    assert not default.is_done
    assert _recorded(nudge) == 1
    assert study.read().arms.tolist() == ["default", "manual"]
    later = arm.nudge(slow, {"x": 0.3042, "seconds": 0.0}, who="ada", study=study)
    assert _recorded(later) == 2


def test_default_that_is_given_up_holds_nobody_back(arm, slow, studies):
    study = make_study(studies, slow)
    arm.nudge(slow, {"x": 0.3051, "seconds": 600.0}, who="first", study=study, arm="default")
    nudge = arm.nudge(slow, {"x": 0.3052, "seconds": 0.0}, who="ada", study=study)
    arm.nudge(slow, {"x": 0.3053, "seconds": 0.0}, who="first")
    assert _recorded(nudge) == 0
