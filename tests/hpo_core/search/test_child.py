"""Child studies: which trials come along, and that a search on the child learns from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from hpo_core import make_problem
from hpo_core.errors import ConfigurationError, UsageError
from hpo_core.methods import METHODS
from hpo_core.search import count_fitting, make_child, make_study, problem_of
from hpo_core.search.memory import Memory
from hpo_core.search.recovery import LOST
from hpo_core.space import Range, SearchSpace
from hpo_core.studies.run import Budget, RunSettings
from tests.finished_trials import SPACE, failed, finished
from tests.moody_landscape import X, fits_done, moody
from tests.trial_tables import SVM, build_table

RANGES = {
    "C": Range(0.01, 50.0),
    "kernel": Range(choices=("linear", "poly")),
    "shrinking": Range(choices=("auto", 2, False, True)),
    "tol": Range(0.2, 0.9),
    "depth": Range(3, 9),
}
COLUMNS = ("states", "values", "started", "completed", "arms", "fold_scores", "train_scores", "fit_seconds",
           "predict_seconds", "model_bytes", "reasons")  # fmt: skip


def parent_study(storage, n=150):
    """A study with parameters of every kind; its trials were never fitted."""
    study = make_study(storage, make_problem("branin", space=tuple(SPACE.to_json())), "parent")
    study.record(*(finished(i) for i in range(n)))
    return study


def rows_that_fit(table, space):
    """Slowly, and by the rule itself: the space takes the configuration."""
    rows = []
    for row in range(len(table)):
        try:
            space.check(table.configuration(row))
        except ConfigurationError:
            continue
        rows.append(row)
    return rows


def numbers_in_parent(optuna_storage, name):
    trials = optuna.load_study(study_name=name, storage=optuna_storage).get_trials()
    return [t.user_attrs["parent_trial"] for t in trials]


def run_on(bench, study, n_trials, **settings):
    """A run of `n_trials` on a study that is there, to its end."""
    run = study.runs.begin(RunSettings(**{"method": "random", **settings}), Budget("trials", n_trials))
    return bench.runner(study, run, problem_of(study)).run()


def test_trials_that_fit_come_along_with_all_that_they_hold(storage):
    parent = parent_study(storage)
    parent.record(*(finished(i, state=TrialState.PRUNED) for i in range(200, 230)), *(map(failed, range(300, 330))))
    table = parent.read()
    child = make_child(storage, parent, RANGES)
    carried, rows = child.read(), rows_that_fit(table, child.space())
    assert 5 < len(rows) < len(table) / 2
    assert set(table.states[rows]) == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}
    assert carried.numbers.tolist() == list(range(len(rows)))
    assert [carried.configuration(i) for i in range(len(carried))] == [table.configuration(row) for row in rows]
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(carried, name), getattr(table, name)[rows], err_msg=name)
    assert carried.distributions == child.space().distributions()
    assert (child.direction, child.metric) == (parent.direction, parent.metric)


def test_optuna_reads_the_child_as_if_it_had_made_it(storage, optuna_storage):
    parent = parent_study(storage)
    child = make_child(storage, parent, RANGES)
    space, table = child.space(), child.read()
    trials = optuna.load_study(study_name=child.name, storage=optuna_storage).get_trials()
    assert [t.number for t in trials] == list(range(len(table)))
    for row, trial in enumerate(trials):
        assert trial.params == table.configuration(row)
        assert trial.distributions == {name: space.distributions()[name] for name in trial.params}
        assert list(trial.intermediate_values.values()) == table.fold_scores[row].tolist()
        trial._validate()


def test_each_trial_says_which_one_it_was(storage, optuna_storage):
    parent = parent_study(storage)
    table = parent.read()
    child = make_child(storage, parent, RANGES)
    assert numbers_in_parent(optuna_storage, child.name) == table.numbers[rows_that_fit(table, child.space())].tolist()


def test_a_child_of_a_child_counts_trials_as_its_own_parent_does(storage, optuna_storage):
    child = make_child(storage, parent_study(storage), RANGES)
    grandchild = make_child(storage, child, {"kernel": Range(choices=("poly",)), "C": Range(0.001, 1000.0)})
    table = child.read()
    rows = rows_that_fit(table, grandchild.space())
    assert numbers_in_parent(optuna_storage, grandchild.name) == table.numbers[rows].tolist()
    assert 0 < len(grandchild.read()) == len(rows) < len(table)
    assert {s.name: s.parent for s in storage.summaries()} == {
        "parent": "", "parent.1": "parent", "parent.1.1": "parent.1"
    }  # fmt: skip


def test_more_trials_come_along_than_fit_in_one_piece(storage):
    parent = parent_study(storage, 2500)
    child = make_child(storage, parent, {"C": Range(0.001, 1000.0)})
    np.testing.assert_array_equal(child.read().fold_scores, parent.read().fold_scores)


def test_a_parameter_that_can_no_longer_be_active_goes_with_the_trials_that_had_it(studies):
    parent = parent_study(studies)
    child = make_child(studies, parent, {"kernel": Range(choices=("linear",))})
    kernels = parent.read().column("kernel")
    assert "degree" not in child.read().params
    assert 0 < len(child.read()) == int((kernels == "linear").sum())


def test_trials_that_only_the_end_of_a_runner_made_fail_stay_behind(studies):
    parent = parent_study(studies, 0)
    parent.record(failed(1, reason=LOST), failed(2, reason="It is singular."), finished(3))
    assert make_child(studies, parent, {}).read().reasons.tolist() == ["It is singular.", ""]


def test_hidden_trials_stay_behind(studies):
    parent = parent_study(studies, 5)
    parent.hide([1, 3])
    assert len(make_child(studies, parent, {}).read()) == 3


def test_the_preview_counts_what_comes_along(studies):
    parent = parent_study(studies)
    parent.hide([0])
    n = count_fitting(parent.read(), SPACE.narrowed(RANGES))
    assert 0 < n == len(make_child(studies, parent, RANGES).read())


_LOG_C = st.floats(np.log(1e-3), np.log(1e3))


@given(
    st.tuples(_LOG_C, _LOG_C).map(sorted),
    st.sets(st.sampled_from(["rbf", "poly", "sigmoid"]), min_size=1),
    st.booleans(),
)
def test_counting_agrees_with_the_rule_for_every_space(ends, kernels, locks):
    table = build_table(80)
    svm = SearchSpace.from_json([
        {"kind": "float", "name": "C", "low": 1e-3, "high": 1e3, "default": 1.0, "log": True},
        {"kind": "float", "name": "gamma", "low": 1e-4, "high": 10.0, "default": 1.0, "log": True},
        {"kind": "categorical", "name": "kernel", "choices": ["rbf", "poly", "sigmoid"], "default": "rbf"},
        {"kind": "int", "name": "degree", "low": 2, "high": 5, "default": 3,
         "when": {"parent": "kernel", "values": ["poly"]}},
        {"kind": "categorical", "name": "shrinking", "choices": [True, False], "default": True},
    ])  # fmt: skip
    narrowed = svm.narrowed(
        {
            "C": Range(*map(float, np.exp(ends))),
            "kernel": Range(choices=tuple(kernels)),
            "shrinking": Range(choices=(True,)) if locks else Range(),
            "degree": Range(3, 4) if locks else Range(),
        }
    )
    assert count_fitting(table, narrowed) == len(rows_that_fit(table, narrowed))


def test_a_table_without_a_parameter_of_the_space_fits_nowhere(studies):
    table = build_table(20, distributions={"C": SVM["C"]})
    assert count_fitting(table, parent_study(studies, 1).space()) == 0


def test_family_holds_through_renames_and_ends_with_the_parent(storage):
    parent = parent_study(storage, 3)
    child = make_child(storage, parent, {}, "little one")
    storage.rename("parent", "elder")
    family = {s.name: (s.parent, s.n_children) for s in storage.summaries()}
    assert family == {"elder": ("", 1), "little one": ("elder", 0)}
    assert (child.attributes["parent"], child.attributes["parent_name"]) == (parent.key, "parent")
    storage.delete("elder")
    (only,) = storage.summaries()
    assert (only.name, only.parent, only.n_trials) == ("little one", "", 3)


def test_free_names_number_the_children(studies):
    parent = parent_study(studies, 1)
    assert [make_child(studies, parent, {}).name for _ in range(3)] == ["parent.1", "parent.2", "parent.3"]


def test_nothing_is_made_where_the_name_is_taken_or_the_parent_gone(storage):
    parent = parent_study(storage, 3)
    with pytest.raises(UsageError, match="already"):
        make_child(storage, parent, {}, "parent")
    storage.create("other", direction="minimize", metric="x", space=None)
    storage.delete("parent")
    with pytest.raises(UsageError, match="no longer there"):
        make_child(storage, parent, {})
    assert [s.name for s in storage.summaries()] == ["other"]


def test_a_study_of_another_program_has_no_children(studies):
    studies.create("theirs", direction="minimize", metric="", space=None)
    with pytest.raises(UsageError, match="another program"):
        make_child(studies, studies.study("theirs"), {})


def test_impossible_ranges_make_nothing(studies):
    with pytest.raises(UsageError, match="C has a log scale"):
        make_child(studies, parent_study(studies, 1), {"C": Range(-1.0, 1.0)})
    assert len(studies.summaries()) == 1


def test_a_search_on_the_child_spends_its_budget_on_new_trials(bench):
    parent = bench.search(moody(X), trials=8)
    child = make_child(bench.storage, parent, {"x": Range(0.2, 0.8)})
    n_carried = len(child.read())
    run = run_on(bench, child, 5, seed=1)
    assert 0 < n_carried < 8
    assert run.spent.trials == 5
    table = child.read()
    assert len(table) == n_carried + 5
    assert rows_that_fit(table, child.space()) == list(range(len(table)))


def test_a_search_on_the_child_knows_what_came_along(bench):
    parent = bench.search(moody(X), trials=8)
    child = make_child(bench.storage, parent, {"x": Range(0.2, 0.8)})
    table = child.read()
    settings = RunSettings(method="random")
    memory = Memory(child, problem_of(child), METHODS["random"], settings)
    assert all(memory.knows(table.configuration(row)) for row in range(len(table)))
    others = Memory(child, problem_of(child), METHODS["tpe"], replace(settings, method="tpe", learns_from_manual=False))
    known = [others.knows(table.configuration(row)) for row in range(len(table))]
    assert known == (table.arms == "default").tolist()


def test_a_default_that_fits_is_the_control_of_the_child(bench):
    parent = bench.search(moody(X), trials=3)
    child = make_child(bench.storage, parent, {"x": Range(0.4, 0.9)})
    run_on(bench, child, 2)
    arms = child.read().arms.tolist()
    assert arms.count("default") == 1
    assert child.space().default() == {"x": 0.5}


def test_a_default_that_does_not_fit_gives_way_to_the_nearest_which_is_tried_first(bench):
    parent = bench.search(moody(X), trials=3)
    child = make_child(bench.storage, parent, {"x": Range(0.6, 0.9)})
    n_carried = len(child.read())
    run_on(bench, child, 2)
    table = child.read()
    assert np.flatnonzero(table.arms == "default").tolist() == [n_carried]
    assert table.configuration(n_carried) == {"x": 0.6}


def test_fits_of_the_parent_are_not_done_again(bench, pool_folder):
    parent = bench.search(moody(X), trials=3)
    parent.hide([0])
    child = make_child(bench.storage, parent, {"x": Range(-0.5, 2.0)})
    n_done = len(fits_done(pool_folder))
    run_on(bench, child, 1)
    assert len(child.read()) == 3
    assert child.read().arms[-1] == "default"
    assert len(fits_done(pool_folder)) == n_done


def test_a_widened_range_is_searched_beyond_the_old_one(bench):
    parent = bench.search(moody(X), trials=2)
    child = make_child(bench.storage, parent, {"x": Range(-30.0, 30.0)})
    run_on(bench, child, 5)
    assert np.abs(child.read().params["x"]).max() > 1


@pytest.mark.parametrize("method", ["gaussian_process", "cma_es", "tpe"])
def test_methods_that_learn_go_on_from_what_came_along_with_one_parameter_locked(bench, method, mixed):
    parent = bench.search(mixed, trials=12)
    child = make_child(bench.storage, parent, {"k": Range(1, 32), "mood": Range(choices=("calm",))})
    n_carried = len(child.read())
    run_on(bench, child, 4, method=method)
    table = child.read()
    assert len(table) == n_carried + 4
    assert table.is_complete.all()
    assert "extra" not in table.params
