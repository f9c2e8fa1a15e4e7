"""The last step of a study: the chosen configuration and the default, once, in a process of its own."""

from __future__ import annotations

import pytest

from hpo_core.errors import StudyBusyError, UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study
from hpo_core.search.duel import DuelArm, make_duel
from hpo_core.search.locked import looks_at, looks_of, seal
from hpo_core.search.opening import ask_to_open, has_seen, open_locked, opening, start_opening, why_not_opened
from hpo_core.studies.run import Budget
from tests.moody_landscape import wait_until

WINE = make_problem("wine", "svm")
CHOSEN = {**WINE.space.default(), "C": 3.0}


def test_choice_and_default_are_scored_once_and_counted(studies, tmp_path):
    study = make_study(studies, WINE)
    ask_to_open(studies, study, CHOSEN, "trial 7")
    with pytest.raises(StudyBusyError):
        ask_to_open(studies, study, {**CHOSEN, "C": 4.0}, "trial 8")
    made = open_locked(studies, study, tmp_path)
    assert [one.what for one in made] == ["trial 7", "the default"]
    assert all(0.5 < one.score <= 1 for one in made)
    assert looks_of(studies, study, WINE) == looks_at(studies, WINE) == made
    assert not opening(study).state().is_active
    with pytest.raises(UsageError, match="already, as trial 7"):
        ask_to_open(studies, study, CHOSEN, "trial 9")
    ask_to_open(studies, study, {**CHOSEN, "C": 4.0}, "trial 8")
    assert [one.what for one in open_locked(studies, study, tmp_path)] == ["trial 8"]
    assert len(looks_at(studies, WINE)) == 3


def test_default_alone_is_one_look(studies, tmp_path):
    study = make_study(studies, WINE)
    ask_to_open(studies, study, WINE.space.default(), "trial 0")
    assert len(open_locked(studies, study, tmp_path)) == 1
    assert has_seen(studies, study, WINE.space.default()) is not None
    assert has_seen(studies, make_study(studies, WINE), WINE.space.default()) is None


def test_called_off_before_a_score_is_no_look(studies, tmp_path):
    study = make_study(studies, WINE)
    ask_to_open(studies, study, CHOSEN, "trial 7")
    opening(study).call_off()
    assert open_locked(studies, study, tmp_path) == ()
    assert looks_at(studies, WINE) == ()
    assert opening(study).state().fault == ""


def test_a_process_of_its_own_does_it(studies, tmp_path):
    study = make_study(studies, WINE)
    ask_to_open(studies, study, CHOSEN, "trial 7")
    start_opening(studies, study, tmp_path)
    wait_until(lambda: len(looks_at(studies, WINE)) == 2 and not opening(study).state().is_active, "two looks")


def test_sentence_says_why_rows_stay_locked(studies, tmp_path):
    assert "no rows locked away" in why_not_opened(studies, make_study(studies, make_problem("branin")))
    bare = make_study(studies, make_problem("wine", "svm", protocol=Protocol(test_fraction=0.0)))
    assert "no rows locked away" in why_not_opened(studies, bare)
    duel = make_duel(studies, WINE, (DuelArm("random"), DuelArm("default")), Budget("trials", 2))
    assert "part of a duel" in why_not_opened(studies, duel.members[0].study)
    study = make_study(studies, WINE)
    assert why_not_opened(studies, study) == ""
    ask_to_open(studies, study, CHOSEN, "trial 7")
    seal(make_study(studies, make_problem("wine", "naive_bayes")), WINE)
    with pytest.raises(UsageError, match="locked for good"):
        open_locked(studies, study, tmp_path)
    assert "locked for good" in opening(study).state().fault
    assert looks_at(studies, WINE) == ()
