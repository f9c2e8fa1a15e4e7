"""The order of the list: families together, problems as leaderboards, words that narrow it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.studies.run import Budget, Live, Owner, Run, RunSettings, Spent
from hpo_core.studies.summary import StudySummary
from pages._shared.study_order import ORDERS, listed


def study(name, parent="", changed=0.0, best=None, title="", direction="maximize", run=None, n_trials=1):
    return StudySummary(
        name=name,
        direction=direction,
        metric="accuracy",
        n_trials=n_trials,
        n_complete=n_trials,
        n_pruned=0,
        n_failed=0,
        best_value=best,
        created=changed,
        changed=changed,
        run=run,
        is_lab=bool(title),
        title=title,
        parent=parent,
    )


def running(started):
    return Run(
        id=1,
        settings=RunSettings(method="tpe"),
        budget=Budget("trials", 9),
        spent=Spent(),
        wanted="running",
        state="running",
        owner=Owner.of_this_process(),
        heartbeat=time.time(),
        started=started,
        live=Live(),
        message="",
    )


def names(entries):
    return [(entry.study.name, entry.depth) for entry in entries]


def test_children_stand_below_their_parent_the_oldest_first():
    found = listed(
        [study("c2", "root", 5), study("other", changed=9), study("root", changed=1), study("c1", "root", 2)]
    )
    assert names(found) == [("other", 0), ("root", 0), ("c1", 1), ("c2", 1)]
    deep = listed([study("a"), study("b", "a"), study("c", "b"), study("d", "a", 1)])
    assert names(deep) == [("a", 0), ("b", 1), ("c", 2), ("d", 1)]


def test_lines_go_on_past_the_children_of_a_child_to_the_next_one():
    found = listed([study("a"), study("b", "a"), study("c", "b"), study("d", "a", 1)])
    assert [(entry.study.name, entry.rails) for entry in found] == [("a", ()), ("b", (1,)), ("c", (1,)), ("d", ())]


def test_family_stands_where_the_one_of_it_that_changed_last_would():
    found = listed([study("old", changed=1), study("child", "old", 9), study("middle", changed=5)])
    assert names(found) == [("old", 0), ("child", 1), ("middle", 0)]


def test_child_whose_parent_is_not_found_stands_alone():
    assert names(listed([study("root"), study("its child", "root")], "child")) == [("its child", 0)]


def test_studies_that_run_stay_in_place_while_they_change():
    first, second = study("first", run=running(1.0), changed=7), study("second", run=running(2.0), changed=8)
    later = [study("first", run=running(1.0), changed=9), second]
    rest = study("rest", changed=99)
    assert names(listed([rest, first, second])) == names(listed([rest, *later]))
    assert names(listed([rest, first, second]))[-1] == ("rest", 0)


def test_by_problem_the_best_comes_first_in_the_direction_of_its_metric():
    up = [study("a", best=0.8, title="Iris"), study("b", best=0.9, title="Iris"), study("none", title="Iris")]
    down = [
        study("c", best=3.0, title="Branin", direction="minimize"),
        study("d", best=1.0, title="Branin", direction="minimize"),
    ]
    found = listed([*up, *down], order="problem")
    by_name = {entry.study.name: place for place, entry in enumerate(found)}
    assert by_name["b"] < by_name["a"] < by_name["none"]
    assert by_name["d"] < by_name["c"]
    assert [(entry.group, entry.n_in_group) for entry in found] == [("Iris", 3)] * 3 + [("Branin", 2)] * 2


def test_all_words_must_be_found_in_name_problem_metric_or_parent():
    studies = [study("one", title="Iris · SVM"), study("two", title="Wine · SVM"), study("three", "two")]
    assert [entry.study.name for entry in listed(studies, "svm WINE")] == ["two"]
    assert {entry.study.name for entry in listed(studies, "two")} == {"two", "three"}
    assert listed(studies, "nothing") == []


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), max_size=9), st.sampled_from(list(ORDERS)))
def test_every_study_is_listed_once_whatever_the_family(rows, order):
    studies = [study(f"s{i}", f"s{parent}", changed) for i, (parent, changed) in enumerate(rows)]
    assert sorted(entry.study.name for entry in listed(studies, order=order)) == sorted(s.name for s in studies)


@pytest.mark.parametrize("order", list(ORDERS))
def test_no_studies_are_no_lines(order):
    assert listed([], order=order) == []
