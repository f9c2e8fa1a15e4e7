"""The belief: sure where trials are, unsure elsewhere, refitted from as many trials as asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.table import TrialTable
from tests.trial_tables import SVM, build_table

BELIEF = PLOTS["belief"]
ONE = {"x": FloatDistribution(0.0, 1.0)}


def _left_half(n: int = 20, direction: str = "minimize") -> TrialTable:
    """Trials in the left half of a line only, of a parabola with its bottom at 0.3."""
    x = np.linspace(0.0, 0.5, n)
    sign = 1.0 if direction == "minimize" else -1.0
    return build_table(n, distributions=ONE, direction=direction, params={"x": x}, values=sign * (x - 0.3) ** 2)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_band_is_wider_away_from_the_trials(direction: str) -> None:
    data = BELIEF.compute(_left_half(direction=direction))
    near, far = data.side.units < 0.48, data.side.units > 0.8
    assert data.belief.sd[far].min() > 3 * data.belief.sd[near].max()


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_mean_is_the_function_where_trials_are(direction: str) -> None:
    data = BELIEF.compute(_left_half(direction=direction))
    near = data.side.units < 0.48
    expected = data.table.sign * (data.side.units - 0.3) ** 2
    np.testing.assert_allclose(data.belief.mean[near], expected[near], atol=0.01)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("rule", ["expected improvement", "probability of improvement"])
def test_acquisition_is_low_where_all_is_known_to_be_bad(rule: str, direction: str) -> None:
    data = with_options(BELIEF, {"rule": rule}).compute(_left_half(direction=direction))
    assert data.promise[data.side.units < 0.1].max() < 0.2
    assert (data.promise.min(), data.promise.max()) == (0.0, 1.0)


def test_more_trials_seen_make_it_surer() -> None:
    table = build_table(40, distributions=ONE, params={"x": np.random.default_rng(0).random(40)})
    widths = [float(with_options(BELIEF, {"step": step}).compute(table).belief.sd.mean()) for step in (4, 40)]
    assert widths[1] < 0.6 * widths[0]


def test_trial_that_came_next_is_marked_as_the_proposal() -> None:
    table = _left_half(20)
    stepped = with_options(BELIEF, {"step": 8})
    data = stepped.compute(table)
    assert data.newest == 8
    figure = stepped.draw(data, LIVE)
    assert figure["layout"]["shapes"][0]["x0"] == pytest.approx(table.params["x"][8], abs=0.02)
    assert "trial 8: proposed next" in figure["layout"]["annotations"][0]["text"]
    assert {row[0] for trace in figure["data"] for row in trace.get("customdata", [])} == set(range(8))


def test_running_trial_is_the_proposal_and_is_not_learned_from() -> None:
    table = _left_half(20)
    states = table.states.copy()
    states[-1] = TrialState.RUNNING.value
    data = BELIEF.compute(replace(table, states=states, values=np.where(states == 0, np.nan, table.values)))
    assert data.newest == 19
    assert 19 not in data.seen


def test_others_stay_as_in_the_best_configuration() -> None:
    """With y fixed at its best, the line lies above its average by what y costs elsewhere."""
    rng = np.random.default_rng(0)
    params = {"x": rng.random(60), "y": rng.random(60)}
    values = (params["x"] - 0.5) ** 2 + 4 * (params["y"] - 0.7) ** 2
    table = build_table(60, distributions=ONE | {"y": ONE["x"]}, direction="minimize", params=params, values=values)
    data = with_options(BELIEF, {"x": "x"}).compute(table)
    off = 4 * (params["y"][data.anchor] - 0.7) ** 2
    inner = (data.side.units > 0.1) & (data.side.units < 0.9)
    np.testing.assert_allclose(data.belief.mean[inner], ((data.side.units - 0.5) ** 2 + off)[inner], atol=0.05)


def test_category_is_shown_with_bars() -> None:
    table = build_table(60, distributions={"kernel": SVM["kernel"], "C": SVM["C"]})
    figure = with_options(BELIEF, {"x": "kernel"})
    drawn = figure.draw(figure.compute(table), LIVE)
    assert any("error_y" in trace for trace in drawn["data"])
    assert isinstance(table.distributions["kernel"], CategoricalDistribution)


def test_too_few_trials_get_a_sentence() -> None:
    assert "at least 2" in str(BELIEF.why_unavailable(_left_half(1)))
    assert "at least 2" in str(with_options(BELIEF, {"step": 1}).why_unavailable(_left_half(9)))
    assert BELIEF.why_unavailable(_left_half(2)) is None
