"""Who found the gain: the steps add up, Shapley's shares are right, luck is at most all of it."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.analysis.attribution import airport_shares, attribution, why_no_attribution
from hpo_core.analysis.optimism import corrected_best
from hpo_core.studies.run import Event
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table, with_faults


def made(arms: list[str], values: list[float], **columns: object) -> TrialTable:
    return replace(build_table(len(arms), values=np.array(values)), arms=np.array(arms), **columns)  # type: ignore[arg-type]


def test_each_step_goes_to_whoever_made_it() -> None:
    found = attribution(made(["default", "manual", "tpe", "manual", "tpe"], [0.5, 0.6, 0.55, 0.9, 1.0]))
    assert [(step.arm, round(step.gain, 9), step.rows) for step in found.steps] == [
        ("manual", 0.4, (1, 3)),
        ("tpe", 0.1, (4,)),
    ]
    assert (found.begins_with, found.start_row, found.best_row) == ("default", 0, 4)
    assert found.alone == pytest.approx({"manual": 0.4, "tpe": 0.5})
    assert found.shares == pytest.approx({"manual": 0.2, "tpe": 0.3})


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("by_steering", [False, True])
def test_steps_add_up_to_the_gain(direction: str, by_steering: bool) -> None:
    events = tuple(Event(1.7e9 + 10 * i, "asked", {"wanted": "paused"}) for i in range(9))
    table = replace(with_faults(build_table(80, direction=direction)), events=events)
    found = attribution(table, by_steering=by_steering)
    assert sum(step.gain for step in found.steps) == pytest.approx(found.gain)
    assert sum(found.shares.values()) == pytest.approx(max(found.alone.values()))
    assert found.gain == pytest.approx(table.sign * (table.values[0] - table.values[table.best() or 0]))
    assert all(step.gain > 0 for step in found.steps)


def test_a_trial_before_the_default_counts_too() -> None:
    found = attribution(made(["tpe", "default", "tpe"], [0.7, 0.5, 0.6]))
    assert [(step.arm, step.rows) for step in found.steps] == [("tpe", (0,))]
    assert found.gain == pytest.approx(0.2)


def test_trials_count_in_the_order_of_their_end() -> None:
    table = made(["default", "manual", "tpe"], [0.5, 0.9, 0.8])
    later = table.completed.copy()
    later[1] = table.completed[2] + 1
    assert [step.arm for step in attribution(replace(table, completed=later)).steps] == ["tpe", "manual"]


def test_stretches_are_told_apart_by_what_was_done_before() -> None:
    table = made(["default", "tpe", "tpe"], [0.5, 0.6, 0.9])
    times = {"started": np.array([0.0, 10.0, 30.0]), "completed": np.array([5.0, 20.0, 40.0])}
    event = Event(25.0, "budget", {"kind": "trials", "amount": 9})
    found = attribution(replace(table, events=(event,), **times), by_steering=True)
    assert [(step.after, step.rows) for step in found.steps] == [("", (1,)), ("budget changed to 9 trials", (2,))]


def test_many_stretches_are_merged_within_their_arm() -> None:
    table = made(["default", *["tpe", "manual"] * 10], list(np.linspace(0.1, 0.9, 21)))
    events = tuple(Event(float(t) - 1e-3, "asked", {"wanted": "paused"}) for t in table.started)
    found = attribution(replace(table, events=events), by_steering=True, most=5)
    assert len(found.steps) == 5
    assert sum(step.gain for step in found.steps) == pytest.approx(found.gain)
    assert {arm: sum(len(s.rows) for s in found.steps if s.arm == arm) for arm in ("tpe", "manual")} == {
        "tpe": 10,
        "manual": 10,
    }


def test_a_suggestion_that_a_person_ran_is_credited_to_both() -> None:
    thoughts = np.array(["", json.dumps({"suggested_by": "tpe"})], dtype=object)
    (step,) = attribution(made(["default", "manual"], [0.5, 0.6], thoughts=thoughts)).steps
    assert (step.arm, step.suggested_by) == ("manual", "tpe")


def test_luck_is_that_of_the_best_and_never_more_than_the_gain() -> None:
    table = build_table(60)
    found = attribution(table)
    corrected = corrected_best(table)
    assert corrected is not None
    assert found.luck == pytest.approx(corrected.optimism)
    noisy = replace(table, fold_scores=np.random.default_rng(0).normal(0.9, 0.1, (60, 5)))
    noisy = replace(noisy, values=noisy.fold_scores.mean(axis=1) + np.where(np.arange(60) == 0, 0.08, 0.0))
    assert attribution(noisy).luck <= attribution(noisy).gain


def test_nothing_gained_has_no_steps_and_no_luck() -> None:
    found = attribution(made(["default", "tpe"], [0.9, 0.5]))
    assert (found.gain, found.steps) == (0.0, ())
    assert math.isnan(found.luck)


def test_too_few_trials_say_so() -> None:
    assert "No trial has a value" in (why_no_attribution(build_table(0)) or "")
    assert "one trial" in (why_no_attribution(build_table(1)) or "")
    assert why_no_attribution(build_table(2)) is None


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e3), min_size=1, max_size=5))
def test_airport_shares_are_shapley_values_by_all_orders(worth: dict[str, float]) -> None:
    orders = list(itertools.permutations(worth))
    expected = dict.fromkeys(worth, 0.0)
    for order in orders:
        reached = 0.0
        for name in order:
            expected[name] += max(0.0, worth[name] - reached) / len(orders)
            reached = max(reached, worth[name])
    assert airport_shares(worth) == pytest.approx(expected, abs=1e-9)
