"""Gradient arrows: from real walks, over one parameter and over two, and from thoughts that are odd."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import optuna
import pytest

from hpo_core.analysis.units import unit_column
from hpo_core.methods import propose, thought_of
from hpo_core.methods.gradient import GRADIENT
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS, figure_json
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

ARROWS = PLOTS["gradient_arrows"]


@lru_cache
def _walked(data: str, model: str = "", n: int = 16, *, after_default: bool = False) -> TrialTable:
    """A search by gradient descent; `after_default`: the default configuration was tried before it."""
    problem = make_problem(data, model, protocol=Protocol(folds=3))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=GRADIENT.sampler_for(problem, 0), direction=problem.direction)
    if after_default:
        study.enqueue_trial(problem.space.default())
    for _ in range(n):
        trial, configuration = propose(study, problem.space)
        study.tell(trial, problem.value(tuple(problem.fit(configuration, f).score for f in range(problem.n_folds))))
    distributions = problem.space.distributions()
    params = {
        name: np.array([d.to_internal_repr(t.params[name]) if name in t.params else np.nan for t in study.trials])
        for name, d in distributions.items()
    }
    return build_table(
        n,
        distributions=distributions,
        direction=problem.direction,
        arms=("gradient",),
        params=params,
        values=np.array([t.value for t in study.trials]),
        thoughts=np.array([json.dumps(dict(thought_of(t))) for t in study.trials], dtype=object),
    )


def _trace(table: TrialTable, name: str, **settings: Any) -> dict[str, Any]:
    plot = with_options(ARROWS, settings)
    figure = plot.draw(plot.compute(table), LIVE)
    json.loads(figure_json(figure))
    return next(trace for trace in figure["data"] if trace["name"] == name)


def _strokes(table: TrialTable, **settings: Any) -> np.ndarray:
    """Ends of each arrow in widths of the ranges, shape (n, 2 ends, 2)."""
    trace = _trace(table, "downhill", **settings)
    names = ARROWS.compute(table).names
    units = [
        unit_column(table.distributions[n], np.array(trace[k], dtype=float)) for n, k in zip(names, "xy", strict=True)
    ]
    return np.stack(units, axis=-1).reshape(-1, 3, 2)[:, :2]


@pytest.mark.parametrize(("data", "model"), [("diabetes", "elastic_net"), ("branin", "")])
def test_arrows_point_against_the_gradient(data: str, model: str) -> None:
    table = _walked(data, model)
    for arrow, (foot, head) in zip(ARROWS.compute(table).arrows, _strokes(table), strict=True):
        gradient = np.array([arrow.gradient[n] for n in ARROWS.compute(table).names])
        way = head - foot
        inside = (head > 1e-9) & (head < 1 - 1e-9)
        if inside.all():
            assert way @ gradient == pytest.approx(-np.linalg.norm(way) * np.linalg.norm(gradient), rel=1e-6)


def test_arrows_begin_where_the_walk_stood() -> None:
    table = _walked("diabetes", "elastic_net")
    data = ARROWS.compute(table)
    for arrow, (foot, _) in zip(data.arrows, _strokes(table), strict=True):
        place = [unit_column(table.distributions[n], table.params[n][[arrow.row]])[0] for n in data.names]
        np.testing.assert_allclose(foot, place, atol=1e-9)


def test_steeper_is_longer_unless_all_shall_be_alike() -> None:
    table = _walked("diabetes", "elastic_net")
    slopes = [a.slope(ARROWS.compute(table).names) for a in ARROWS.compute(table).arrows]
    lengths = np.linalg.norm(np.diff(_strokes(table), axis=1)[:, 0], axis=1)
    free = ((_strokes(table)[:, 1] > 1e-9) & (_strokes(table)[:, 1] < 1 - 1e-9)).all(axis=1)
    assert np.array_equal(np.argsort(lengths[free]), np.argsort(np.array(slopes)[free]))
    alike = np.linalg.norm(np.diff(_strokes(table, length="all alike"), axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(alike[free], alike[free][0])


def test_one_parameter_is_drawn_over_the_loss() -> None:
    table = _walked("diabetes", "ridge")
    data = ARROWS.compute(table)
    assert data.names == ("alpha",)
    assert ARROWS.draw(data, LIVE)["layout"]["yaxis"]["title"]["text"] == "smooth loss"
    tops = _trace(table, "downhill")["y"]
    falls = [head <= foot for foot, head in zip(tops[::3], tops[1::3], strict=True)]
    assert all(falls)


def test_component_of_each_step_is_in_the_table() -> None:
    table = _walked("diabetes", "elastic_net")
    numbers = ARROWS.numbers(ARROWS.compute(table))
    assert {"trial", "walk", "step", "slope along alpha", "slope along l1_ratio"} <= set(numbers.columns)
    for _, row in numbers.iterrows():
        place = list(table.numbers).index(row["trial"])
        assert row["alpha"] == pytest.approx(table.params["alpha"][place], rel=1e-9)
        assert row["slope along alpha"] == table.thought(place)["gradient"]["alpha"]


def test_walks_are_lines_of_their_own() -> None:
    table = _walked("diabetes", "ridge")
    walks = {a.walk for a in ARROWS.compute(table).arrows}
    assert len(walks) > 1
    assert sum(x is None for x in _trace(table, "walk")["x"]) == len(walks) - 1


def test_words_say_what_the_slope_is_of() -> None:
    table = _walked("diabetes", "elastic_net")
    data = ARROWS.compute(table)
    assert "squared error" in ARROWS.caption(data)
    assert ARROWS.alt(data).startswith("16 arrows in")


def test_other_parameters_may_be_chosen_but_only_with_a_slope() -> None:
    table = _walked("diabetes", "elastic_net")
    assert with_options(ARROWS, {"x": "l1_ratio"}).compute(table).names == ("l1_ratio", "alpha")
    assert "no part along nonsense" in (with_options(ARROWS, {"x": "nonsense"}).why_unavailable(table) or "")
    assert "Both sides" in (with_options(ARROWS, {"x": "alpha", "y": "alpha"}).why_unavailable(table) or "")


def test_walk_from_a_trial_of_somebody_else_begins_there() -> None:
    alone, after = _walked("diabetes", "elastic_net"), _walked("diabetes", "elastic_net", after_default=True)
    assert after.thoughts[0] == "{}"
    first, other = (ARROWS.compute(table).arrows[0] for table in (alone, after))
    assert (other.row, other.step, other.gradient, other.at) == (0, 0, first.gradient, first.at)
    assert len(ARROWS.compute(after).arrows) == 16
    assert len(ARROWS.compute(replace(after, hidden=frozenset({0}))).arrows) == 15


def test_search_by_another_method_has_no_arrows() -> None:
    assert "Gradient descent" in (ARROWS.why_unavailable(build_table(60)) or "")


@pytest.mark.parametrize(
    "thought",
    [
        "{}",
        '{"gradient": 3}',
        '{"gradient": {"alpha": "steep"}, "at": {"alpha": 0.1}, "walk": 0, "step_number": 0}',
        '{"gradient": {"alpha": 1}, "at": {}, "walk": 0, "step_number": 0}',
        '{"gradient": {"alpha": NaN}, "at": {"alpha": 0.1}, "walk": 0, "step_number": 0}',
        '{"gradient": {"<b>": 1}, "at": {"<b>": 0.1}, "walk": 0, "step_number": 0}',
        '{"gradient": ',
    ],
)
def test_odd_thoughts_are_passed_over(thought: str) -> None:
    table = _walked("diabetes", "elastic_net")
    odd = replace(table, thoughts=np.array([thought, *table.thoughts[1:]], dtype=object))
    assert len(ARROWS.compute(odd).arrows) == len(table) - 1
    alone = replace(table, thoughts=np.full(len(table), thought, dtype=object))
    assert ARROWS.why_unavailable(alone) is not None


def test_hidden_and_failed_trials_do_not_break_it() -> None:
    table = _walked("diabetes", "elastic_net")
    part = replace(table, hidden=frozenset({0, 3}), values=np.where(table.numbers % 4 == 1, np.nan, table.values))
    data = ARROWS.compute(part)
    assert not {0, 3} & {int(part.numbers[a.row]) for a in data.arrows}
    figure_json(ARROWS.draw(data, LIVE, current={"alpha": 1.0, "l1_ratio": 0.5}))
    nothing = replace(table, values=np.full(len(table), np.nan))
    figure_json(ARROWS.draw(ARROWS.compute(nothing), LIVE))
    assert ARROWS.alt(ARROWS.compute(nothing)).endswith(".")


def test_newest_arrows_are_drawn_when_there_are_too_many() -> None:
    table = _walked("diabetes", "elastic_net")
    many = table.take(np.arange(10_000) % len(table))
    many = replace(many, numbers=np.arange(10_000))
    data = ARROWS.compute(many)
    assert (len(data.arrows), data.n_arrows) == (200, 10_000)
    assert len(figure_json(ARROWS.draw(data, LIVE))) < 200_000
