"""The Pareto front on trials made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

PARETO = PLOTS["pareto"]


def _table(scores: list[float], seconds: list[float], **columns: Any) -> TrialTable:
    n = len(scores)
    given = {"values": np.array(scores), "fit_seconds": np.repeat(np.array(seconds)[:, None], 5, axis=1)}
    return build_table(n, arms=("nsga2",), **{**given, **columns})


# Trial 3 is worse than 1 in both, 4 costs more than 2 and is no better.
FIVE = ([0.80, 0.90, 0.92, 0.85, 0.92], [1.0, 2.0, 5.0, 3.0, 6.0])


def test_front_is_what_no_other_trial_beats_in_both() -> None:
    data = PARETO.compute(_table(*FIVE))
    assert data.table.numbers[data.rows[data.front]].tolist() == [0, 1, 2]


def test_front_of_a_minimised_value() -> None:
    data = PARETO.compute(_table([-s for s in FIVE[0]], FIVE[1], direction="minimize"))
    assert data.rows[data.front].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("weight", "trial"), [(0.0, 0), (0.5, 1), (1.0, 2)])
def test_weight_moves_the_compromise_along_the_front(weight: float, trial: int) -> None:
    # By hand, scaled to the front: trial 1 lies at cost 1/4 and 1/6 below the best score.
    data = with_options(PARETO, {"weight": weight}).compute(_table(*FIVE))
    assert data.rows[data.compromise] == trial
    assert f"compromise is trial {trial}" in PARETO.caption(data)


def test_hypervolume_in_the_caption() -> None:
    table = _table([0.0, 0.5, 1.0] + [0.0] * 27, [1.0, 2.0, 3.0] + [4.0] * 27)
    # The box goes from (1, 1) to (4, 0): rectangles of 3 x 0, 2 x 0.5 and 1 x 0.5 of 3 x 1.
    assert PARETO.compute(table).volume == pytest.approx((2 * 0.5 + 1 * 0.5) / 3)
    assert "0.500 of the box" in PARETO.caption(PARETO.compute(table))


def test_costs_over_a_wide_range_are_compared_by_their_ratio() -> None:
    assert not PARETO.compute(_table(*FIVE)).is_log
    data = PARETO.compute(_table([0.7, 0.8, 0.9], [0.01, 0.1, 10.0]))
    assert data.is_log
    assert PARETO.draw(data, LIVE)["layout"]["xaxis"]["type"] == "log"


def test_failed_and_pruned_trials_are_not_on_the_front() -> None:
    data = PARETO.compute(_table(*FIVE, states=np.array([3, 1, 2, 1, 1], dtype=np.int8)))
    assert data.rows[data.front].tolist() == [1, 4]


def test_trials_without_a_model_have_no_cost() -> None:
    assert "fitted no model" in (PARETO.why_unavailable(_table(*FIVE, model_bytes=np.zeros((5, 5)))) or "")
    assert "does not say" in (PARETO.why_unavailable(_table(*FIVE, fit_seconds=np.full((5, 5), np.nan))) or "")
