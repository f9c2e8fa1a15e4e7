"""Nested cross-validation: the search anew in each outer fold, scored on rows that it has not seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem, open_problem
from hpo_core.search import execute, make_study, problem_of, start_run
from hpo_core.search.nesting import (
    ask_to_nest,
    nest,
    nested_cost,
    nested_of,
    nesting,
    start_nesting,
    why_not_nested,
)
from hpo_core.studies.run import Budget, RunSettings
from tests.moody_landscape import wait_until

WINE = make_problem("wine", "svm")


@pytest.fixture
def searched(studies, tmp_path):
    """A study of six random trials."""
    study = make_study(studies, WINE)
    settings = RunSettings(method="random", seed=3)
    execute(study, start_run(study, settings, Budget("trials", 6)), tmp_path)
    return study


def test_outer_folds_score_what_searches_without_them_chose(searched, tmp_path):
    ask_to_nest(searched, 3)
    nest(searched, tmp_path)
    found = nested_of(searched)
    assert found.is_complete
    assert [fold.n_trials for fold in found.folds] == [6, 6, 6]
    assert (found.method, found.budget, found.n_study_trials) == ("random", "6 trials", 6)
    assert found.study_best == searched.read().values.max()
    for fold, protocol in zip(found.folds, WINE.spec.protocol.nested(3), strict=True):
        ((rest, outer),) = protocol.opened().split(WINE.data).folds
        assert not set(outer) & set(WINE.split.test)
        pipeline = open_problem(replace(WINE.spec, protocol=protocol)).pipeline(fold.configuration)
        pipeline.fit(WINE.features.iloc[rest], WINE.data.target[rest])
        expected = (pipeline.predict(WINE.features.iloc[outer]) == WINE.data.target[outer]).mean()
        assert fold.score == pytest.approx(expected)
    assert not list(tmp_path.glob("nested-*"))
    assert not nesting(searched).state().is_active


def test_goes_on_with_the_next_outer_fold_after_being_called_off(searched, tmp_path, monkeypatch):
    ask_to_nest(searched, 3)
    errand = nesting(searched)
    done = searched.set_attribute

    def stop_after_one(key, value):
        done(key, value)
        if key == "nested" and len(value["folds"]) == 1:
            errand.call_off()

    monkeypatch.setattr(searched, "set_attribute", stop_after_one)
    nest(searched, tmp_path)
    assert len(nested_of(searched).folds) == 1
    assert errand.state().is_called_off
    assert not list(tmp_path.glob("nested-*"))
    first = nested_of(searched).folds[0]
    monkeypatch.setattr(searched, "set_attribute", done)
    ask_to_nest(searched, 3)
    nest(searched, tmp_path)
    found = nested_of(searched)
    assert found.folds[0] == first
    assert [fold.fold for fold in found.folds] == [0, 1, 2]
    assert found.is_complete


def test_a_process_of_its_own_does_it_and_is_called_off(searched, studies, tmp_path):
    ask_to_nest(searched, 5)
    start_nesting(studies, searched, tmp_path)
    errand = nesting(searched)
    wait_until(lambda: errand.state().progress.doing, "progress")
    assert errand.state().is_active
    errand.call_off()
    wait_until(lambda: not errand.state().is_active, "the end of the process")
    assert errand.state().fault == ""


def test_cost_is_counted_from_the_studys_own_fits(searched):
    table, run = searched.read(), searched.runs.current()
    timed = replace(table, fit_seconds=np.full((6, 5), 2.0), predict_seconds=np.full((6, 5), 1.0))
    cost = nested_cost(timed, run, WINE, 4)
    assert cost.fits == 4 * 6 * 5 + 8
    assert cost.seconds == pytest.approx(3.0 * cost.fits)
    two = replace(run, settings=replace(run.settings, workers=2), budget=Budget("fits", 30))
    assert nested_cost(timed, two, WINE, 4).seconds == pytest.approx(3.0 * (60 + 8))
    assert nested_cost(timed, replace(run, budget=Budget("seconds", 60)), WINE, 2).seconds == pytest.approx(132)
    unknown = replace(timed, fit_seconds=np.full((6, 5), np.nan))
    assert math.isnan(nested_cost(unknown, run, WINE, 4).seconds)


def test_sentence_says_why_it_cannot_be(studies, searched):
    assert "has none yet" in why_not_nested(make_study(studies, WINE))
    assert "landscape" in why_not_nested(make_study(studies, make_problem("branin")))
    two = make_study(studies, make_problem("wine", "svm", second="fit_seconds"))
    assert "two objectives" in why_not_nested(two)
    assert why_not_nested(searched) == ""
    with pytest.raises(UsageError, match="from 2 to 20"):
        ask_to_nest(searched, 1)
    start_run(searched, RunSettings(method="random"), Budget("trials", 3))
    with pytest.raises(UsageError, match="still on"):
        ask_to_nest(searched)
    assert problem_of(searched).spec == WINE.spec
