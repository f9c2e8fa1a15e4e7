"""The locked rows: scored on purpose only, counted for all studies that share them, and closed for good."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem, open_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study
from hpo_core.search.duel import DuelArm, make_duel, open_duel
from hpo_core.search.dueling import fight, has_looked
from hpo_core.search.locked import locked_rows, look, looks_at, seal, why_locked
from hpo_core.studies.run import Budget

WINE = make_problem("wine", "svm")


def test_opened_protocol_trains_on_all_other_rows_and_scores_the_locked_ones():
    opened = open_problem(dataclasses.replace(WINE.spec, protocol=WINE.spec.protocol.opened()))
    ((train, valid),) = opened.split.folds
    assert valid.tolist() == WINE.split.test.tolist()
    assert sorted([*train.tolist(), *valid.tolist()]) == list(range(WINE.data.n_rows))
    assert opened.n_folds == 1
    assert opened.fingerprint != WINE.fingerprint
    with pytest.raises(UsageError, match="none to open"):
        Protocol(test_fraction=0.0).opened()


def test_score_is_that_of_the_pipeline_itself(studies, one_worker):
    study, configuration = make_study(studies, WINE), WINE.space.default()
    (found,) = look(studies, study, WINE, [("the default", configuration)], one_worker)
    held_out = WINE.split.test
    rest = np.setdiff1d(np.arange(WINE.data.n_rows), held_out)
    pipeline = WINE.pipeline(configuration).fit(WINE.features.iloc[rest], WINE.data.target[rest])
    expected = (pipeline.predict(WINE.features.iloc[held_out]) == WINE.data.target[held_out]).mean()
    assert found.score == pytest.approx(expected)


def test_looks_count_for_every_study_with_the_same_locked_rows(studies, one_worker):
    first = make_study(studies, WINE)
    other = make_problem("wine", "naive_bayes", protocol=Protocol(folds=3))
    assert locked_rows(other) == locked_rows(WINE)
    look(studies, first, WINE, [("one", WINE.space.default()), ("two", WINE.space.default())], one_worker)
    look(studies, make_study(studies, other), other, [("three", other.space.default())], one_worker)
    assert [found.what for found in looks_at(studies, WINE)] == ["one", "two", "three"]
    assert not looks_at(studies, make_problem("wine", "svm", protocol=Protocol(seed=1)))
    assert not looks_at(studies, make_problem("branin"))


def test_rows_that_are_locked_for_good_are_not_opened_again(studies, one_worker):
    study = make_study(studies, WINE)
    assert why_locked(studies, WINE) == ""
    seal(study, WINE)
    with pytest.raises(UsageError, match="locked for good"):
        look(studies, study, WINE, [("one", WINE.space.default())], one_worker)
    assert "no rows" in why_locked(studies, make_problem("branin"))


def test_duel_opens_the_lock_once_when_it_is_asked_to(studies, tmp_path):
    arms = (DuelArm("random", 2), DuelArm("default"))
    duel = make_duel(studies, WINE, arms, Budget("trials", 4), finals=1)
    fight(studies, tmp_path, duel.plan.key)
    assert not looks_at(studies, WINE)
    duel.ask(opens_lock=True)
    for _ in range(2):
        fight(studies, tmp_path, duel.plan.key)
    done = open_duel(studies, duel.plan.key)
    assert has_looked(done)
    assert len(looks_at(studies, WINE)) == 3
    assert all(0.5 < member.look()["score"] <= 1 for member in done.members)
