"""The steering log: every kind of act in words, with who did it, from real studies too."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import Protocol, make_problem
from hpo_core.analysis.steering import latest_before, steering_log
from hpo_core.search import make_child, make_study
from hpo_core.search.finalists import choose_finalists
from hpo_core.search.finals_round import ask_for_finals
from hpo_core.search.locked import look
from hpo_core.space import Range
from hpo_core.studies.run import Budget, Event, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.direct_executor import DirectExecutor
from tests.finished_trials import finished, new_study
from tests.trial_tables import build_table


def log_of(*events: Event) -> list[str]:
    return [entry.words for entry in steering_log(replace(build_table(5), events=events))]


def event(what: str, **detail: object) -> Event:
    return Event(1.7e9, what, detail)


def begun(method: str) -> Event:
    return event("begun", settings={"method": method}, kind="trials", amount=40)


def test_search_with_another_method_says_instead_of_which() -> None:
    assert log_of(begun("random"), event("claimed", pid=1), begun("random"), begun("tpe")) == [
        "search started: Random, 40 trials",
        "search started: Random, 40 trials",
        "search started anew, TPE instead of Random: 40 trials",
    ]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"low": 3.0, "high": 3.0}, "C locked at 3"),
        ({"low": 0.01, "high": 50}, "C from 0.01 to 50"),
        ({"high": 50}, "C to 50"),
        ({"choices": ["rbf"]}, "C locked at rbf"),
        ({"choices": ["rbf", True]}, "C rbf or True"),
    ],
)
def test_new_ranges_are_told(limits: dict[str, object], words: str) -> None:
    made = event("child", child="mine.1", ranges={"C": limits}, n_trials=7)
    assert log_of(made) == [f"child study mine.1 made: {words}"]


def test_end_of_a_search_is_nobody_s_act() -> None:
    table = replace(build_table(5), events=(event("ended", state="finished", message="All done."),))
    (entry,) = steering_log(table)
    assert (entry.words, entry.by, entry.is_act) == ("search finished: All done.", "the search itself", False)


def test_what_was_done_last_before_a_time() -> None:
    table = replace(build_table(5), events=tuple(Event(float(t), "asked", {"wanted": "paused"}) for t in (10, 20)))
    places = latest_before(steering_log(table), np.array([5.0, 10.0, 15.0, 99.0, np.nan]))
    assert places.tolist() == [-1, 0, 0, 1, -1]


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_OWN = ("amount", "kind", "ranges", "trials", "settings", "child", "wanted", "by", "n_trials")
_NAMES = st.sampled_from((*_OWN, "n_finalists", "what", "score"))
_MADE = ("begun", "asked", "budget", "resumed", "ended", "died", "branched", "child", "hidden", "shown")
_KINDS = (*_MADE, "suggestion", "refused", "finals", "looked")


@given(st.sampled_from((*_KINDS, "odd")), st.dictionaries(_NAMES, _JSON, max_size=4))
def test_whatever_an_event_holds_is_told_or_left_out(what: str, detail: dict[str, object]) -> None:
    log_of(Event(1.7e9, what, json.loads(json.dumps(detail))))


def test_everything_that_is_done_to_a_study_is_logged_with_who_did_it(sqlite_url: str) -> None:
    storage = StudyStorage.open(sqlite_url, by="the test")
    study = new_study(storage)
    study.record(*(finished(i) for i in range(3)))
    run = study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    study.runs.ask_for("paused")
    study.runs.set_budget(Budget("trials", 9))
    study.runs.publish(run.id, state="stopped")
    study.runs.resume_with(Budget("trials", 12))
    study.hide([0, 2])
    study.hide([2])  # which is hidden already
    study.unhide([0])
    study.runs.add_steering("suggestion", {"method": "tpe", "configuration": {}})
    study.runs.add_steering("refused", {"method": "tpe", "configuration": {}})
    log = steering_log(study.read())
    assert [entry.words for entry in log] == [
        "search started: TPE, 5 trials",
        "paused",
        "budget changed to 9 trials",
        "search taken up again: 12 trials",
        "trials 0, 2 hidden",
        "trial 0 shown again",
        "suggestion of TPE run by hand",
        "suggestion of TPE refused",
    ]
    assert {entry.by for entry in log} == {"the test"}


def test_last_steps_are_logged_too(sqlite_url: str) -> None:
    storage = StudyStorage.open(sqlite_url, by="the test")
    problem = make_problem("iris", "naive_bayes", protocol=Protocol(folds=2))
    study = make_study(storage, problem, "last")
    study.record(finished(0, configuration=problem.space.default(), value=0.9, fold_scores=(0.9, 0.9)))
    ask_for_finals(study, choose_finalists(problem, study.read(), 5), 2)
    look(storage, study, problem, [("the default", problem.space.default())], DirectExecutor())
    begun, opened = steering_log(study.read())
    assert begun.words == "finalists round begun: 1 configuration"
    assert re.fullmatch(r"locked rows opened: the default, 0\.\d+", opened.words)
    assert {begun.by, opened.by} == {"the test"}


def test_child_and_parent_both_say_what_was_narrowed(sqlite_url: str) -> None:
    storage = StudyStorage.open(sqlite_url, by="the test")
    problem = make_problem("iris", "svm", protocol=Protocol(folds=2))
    parent = make_study(storage, problem, "wide")
    parent.record(finished(0, configuration=problem.space.default()))
    child = make_child(storage, parent, {"C": Range(0.1, 10.0), "kernel": Range(choices=("rbf",))}, "tight")
    what = "C from 0.1 to 10, kernel locked at rbf"
    assert [entry.words for entry in steering_log(parent.read())] == [f"child study tight made: {what}"]
    assert [(entry.words, entry.by) for entry in steering_log(child.read())] == [
        (f"made as a child of wide, 1 trial kept: {what}", "the test")
    ]
