"""A filter means the same as a brush, as words, and in a URL."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_core.analysis.filtering import (
    VALUE,
    Kept,
    TrialFilter,
    brushes_of_filter,
    filter_of_brushes,
    filter_of_query,
)
from hpo_core.analysis.selection import robust_limits
from hpo_core.plots.parallel import PARALLEL
from tests.trial_tables import build_table, with_faults

TABLE = build_table(200)
AXES = (*TABLE.params, VALUE)


def limits_of(table):
    return robust_limits(table.values[table.is_complete], table.sign)


def brushed(brushes, table=TABLE, previous=None):
    return filter_of_brushes(table, brushes, limits_of(table), axes=AXES, previous=previous or TrialFilter())


def test_brush_on_a_log_axis_keeps_the_numbers_between_its_ends():
    kept = brushed({"C": (0.4, 0.8)}).kept["C"]
    assert (kept.low, kept.high) == (0.251, 63.1)


def test_brush_keeps_the_lines_that_the_chart_keeps():
    data = PARALLEL.compute(TABLE)
    brushes = {"C": (0.4, 0.8), "gamma": (0.1, 0.9), VALUE: (0.5, 1.0)}
    chosen = brushed(brushes)
    mask = chosen.mask(TABLE)
    assert mask[data.rows].tolist() == data.is_within(data.brushes_of(chosen)).tolist()
    assert 0 < mask.sum() < len(TABLE)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_brush_at_the_better_end_of_the_value_keeps_the_best_trials(direction):
    table = build_table(100, direction=direction)
    mask = brushed({VALUE: (0.7, 1.0)}, table).mask(table)
    signed = table.sign * table.values
    assert mask[table.best()]
    assert signed[mask].max() < signed[~mask].min()


def test_brush_below_the_axis_keeps_trials_that_do_not_use_the_parameter():
    mask = brushed({"degree": (-0.15, -0.05)}).mask(TABLE)
    assert mask.tolist() == np.isnan(TABLE.params["degree"]).tolist()


def test_brush_over_whole_numbers_keeps_those_that_lie_in_it():
    kept = brushed({"degree": (0.3, 0.95)}).kept["degree"]
    assert (kept.low, kept.high) == (3, 5)


def test_brush_on_categories_keeps_whole_categories():
    kept = brushed({"kernel": (0.3, 0.7)}).kept["kernel"]
    assert kept.labels == ("poly",)
    assert (TABLE.column("kernel")[TrialFilter({"kernel": kept}).mask(TABLE)] == "poly").all()


def test_moving_one_brush_leaves_the_others_to_the_last_digit():
    chosen = TrialFilter({"C": Kept(0.1, 10.0), "kernel": Kept(labels=("rbf", "sigmoid")), "gone": Kept(1, 2)})
    lying = brushes_of_filter(TABLE, chosen, limits_of(TABLE))
    after = brushed({**lying, "gamma": (0.2, 0.5)}, previous=chosen)
    assert {name: after.kept[name] for name in chosen.kept} == chosen.kept
    assert "gamma" in after.kept


def test_brush_that_is_taken_away_leaves_the_filter():
    chosen = TrialFilter({"C": Kept(0.1, 10.0), "gamma": Kept(0.1, 1.0)})
    lying = brushes_of_filter(TABLE, chosen, limits_of(TABLE))
    assert set(brushed({"C": lying["C"]}, previous=chosen).kept) == {"C"}


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["C", "gamma", VALUE]))
def test_brush_lies_where_it_was_drawn(one, other, name):
    ends = min(one, other), max(one, other)
    lying = brushes_of_filter(TABLE, brushed({name: ends}), limits_of(TABLE))
    assert lying[name] == pytest.approx(ends, abs=1e-3)


def test_failed_trials_pass_by_their_parameters_and_not_by_a_value():
    table = with_faults(TABLE)
    assert (TrialFilter({"C": Kept()}).mask(table) & table.is_failed).any()
    assert not (TrialFilter({VALUE: Kept()}).mask(table) & table.is_failed).any()


def test_filter_survives_the_address():
    chosen = TrialFilter(
        {
            "C": Kept(0.1, 10.0),
            "gamma": Kept(high=0.5),
            "kernel": Kept(labels=("rbf", "poly")),
            "degree": Kept(math.inf, -math.inf, is_unused_kept=True),
            VALUE: Kept(low=0.9),
        }
    )
    again = filter_of_query(chosen.to_query(), TABLE)
    assert again.mask(TABLE).tolist() == chosen.mask(TABLE).tolist()
    assert {name: k for name, k in again.kept.items() if name != "degree"} == {
        name: k for name, k in chosen.kept.items() if name != "degree"
    }


@pytest.mark.parametrize("text", ["", "x", "1..x", "5..1", "nan..nan", "rbf", "..", "1e999..2"])
def test_hostile_address_gives_a_filter_or_none(text):
    for name in ("C", "kernel", "never", VALUE):
        found = filter_of_query({name: text}, TABLE)
        assert found.mask(TABLE).shape == (200,)
        assert isinstance(found.words(), str)


def test_ranges_are_in_the_units_and_kinds_of_the_parameters():
    distributions = {
        "rate": FloatDistribution(0.0, 1.0),
        "depth": IntDistribution(1, 9),
        "kind": CategoricalDistribution((True, None, "auto")),
    }
    table = build_table(30, distributions=distributions)
    chosen = TrialFilter({"rate": Kept(0.2), "depth": Kept(2, 40), "kind": Kept(labels=("True", "None")), "": Kept(0)})
    assert all(type(end) is int for end in chosen.ranges(table)["depth"])
    assert chosen.ranges(table) == {"rate": (0.2, 1.0), "depth": (2, 9), "kind": (True, None)}
