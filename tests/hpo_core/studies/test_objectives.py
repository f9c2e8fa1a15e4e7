"""Studies with several objectives: each is read on its own."""

from __future__ import annotations

import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from hpo_core.errors import UsageError
from tests.finished_trials import new_study


@pytest.fixture
def theirs(optuna_storage):
    """Three objectives of another program, with an infinite value, a failed trial and one that waits."""
    study = optuna.create_study(
        study_name="theirs", storage=optuna_storage, directions=["maximize", "minimize", "minimize"]
    )
    for values in ([0.9, 12.0, 3.0], [0.8, math.inf, 1.0], [0.95, 40.0, 2.0]):
        study.add_trial(create_trial(values=values))
    study.add_trial(create_trial(state=TrialState.FAIL))
    study.enqueue_trial({"x": 1.0})
    return study


@pytest.mark.filterwarnings("ignore:.*set_metric_names is experimental")
def test_objectives_have_names_and_directions(storage, theirs):
    study = storage.study("theirs")
    assert study.objectives == (("", "maximize"), ("", "minimize"), ("", "minimize"))
    theirs.set_metric_names(["accuracy", "seconds", "bytes"])
    study = storage.study("theirs")
    assert study.objectives[1].name == "seconds"
    assert study.objectives[1].direction == "minimize"
    assert (study.metric, study.direction) == ("accuracy", "maximize")


def test_a_study_of_the_lab_has_one_objective(storage):
    made = new_study(storage)
    assert made.objectives == storage.study("digits").objectives == (("accuracy", "maximize"),)


def test_each_objective_is_read_with_its_direction_and_its_best(storage, theirs):
    study = storage.study("theirs")
    first, second, third = (study.read(objective=i) for i in range(3))
    np.testing.assert_array_equal(first.values, [0.9, 0.8, 0.95, math.nan, math.nan])
    np.testing.assert_array_equal(second.values, [12.0, math.inf, 40.0, math.nan, math.nan])
    np.testing.assert_array_equal(third.values, [3.0, 1.0, 2.0, math.nan, math.nan])
    assert [t.direction for t in (first, second, third)] == ["maximize", "minimize", "minimize"]
    assert [t.best() for t in (first, second, third)] == [2, 0, 1]
    assert all(t.is_complete.sum() == 3 for t in (first, second, third))


def test_without_saying_which_the_first_is_read(storage, theirs):
    study = storage.study("theirs")
    assert study.read().revision == study.read(objective=0).revision


def test_a_table_of_one_objective_is_not_taken_for_that_of_another(storage, theirs):
    study = storage.study("theirs")
    first = study.read()
    second = study.read(first, objective=1)
    assert first.revision != second.revision
    assert second.values[0] == 12.0
    assert study.read(second, objective=1) is second


def test_what_is_new_is_read_for_the_same_objective(storage, theirs):
    study = storage.study("theirs")
    table = study.read(objective=2)
    theirs.add_trial(create_trial(values=[0.1, 0.2, 0.3]))
    again = study.read(table, objective=2)
    assert again.values[-1] == 0.3
    assert again.revision == study.read(objective=2).revision


@pytest.mark.parametrize("objective", [-1, 3])
def test_an_objective_that_is_not_there_gets_its_sentence(storage, theirs, objective):
    with pytest.raises(UsageError, match=f"has 3 objectives, counted from 0; got {objective}"):
        storage.study("theirs").read(objective=objective)


def test_names_that_are_no_names_do_no_harm(storage, theirs, optuna_storage):
    optuna_storage.set_study_system_attr(theirs._study_id, "study:metric_names", ["only one"])
    assert [o.name for o in storage.study("theirs").objectives] == ["only one", "", ""]
    optuna_storage.set_study_system_attr(theirs._study_id, "study:metric_names", "none")
    assert [o.name for o in storage.study("theirs").objectives] == ["", "", ""]
    assert len(storage.summaries()) == 1
