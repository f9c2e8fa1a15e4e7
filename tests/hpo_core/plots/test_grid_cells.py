"""The cells of a grid: tried, running, without a value, open."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.methods import METHODS, propose
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.space import Categorical, Float, Int, SearchSpace
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

CELLS = PLOTS["grid_cells"]
KINDS: dict[str, BaseDistribution] = {
    "C": FloatDistribution(0.01, 100.0, log=True),
    "depth": IntDistribution(1, 9, step=2),
    "kernel": CategoricalDistribution(("linear", "rbf")),
}
SPACE = SearchSpace(
    (
        Float(name="C", low=0.01, high=100.0, default=1.0, log=True),
        Int(name="depth", low=1, high=9, default=3, step=2),
        Categorical(name="kernel", choices=("linear", "rbf"), default="rbf"),
    )
)


def grid_table(n: int, direction: str = "maximize", **options: object) -> TrialTable:
    """What a grid search leaves in a table after n trials."""
    study = optuna.create_study(sampler=with_options(METHODS["grid"], options).sampler(SPACE, 0))
    rows, thoughts = [], []
    for _ in range(n):
        trial, _configuration = propose(study, SPACE)
        study.tell(trial, 0.0)
        frozen = study.trials[-1]
        rows.append([KINDS[name].to_internal_repr(frozen.params[name]) for name in KINDS])
        thoughts.append(json.dumps(frozen.user_attrs["thought"]))
    params = {name: np.array(rows, dtype=float)[:, i] for i, name in enumerate(KINDS)}
    return build_table(
        n,
        distributions=KINDS,
        arms=("grid",),
        direction=direction,
        params=params,
        thoughts=np.array(thoughts, dtype=object),
        values=np.arange(n, dtype=float),
    )


def test_open_cells_are_those_that_the_grid_has_not_reached_even_in_rows_nobody_entered() -> None:
    data = CELLS.compute(grid_table(1, resolution=4, single="depth=3"))
    assert (data.x.name, data.y.name) == ("C", "depth")
    assert data.x.values == pytest.approx([0.01, 0.2154, 4.6416, 100.0], rel=1e-3)
    assert data.y.values == [1, 5, 9]
    assert int(data.is_open.sum()) == 11
    assert data.cell_size == 2


def test_finished_grid_has_no_open_cell_and_every_cell_all_its_trials() -> None:
    table = grid_table(24, resolution=4, single="depth=3")
    data = CELLS.compute(table)
    assert not data.is_open.any()
    assert data.tried.tolist() == [2] * 12
    assert data.n_off == 0
    assert "0 still open; a cell holds 2 combinations" in CELLS.caption(data)


@pytest.mark.parametrize(("direction", "pick"), [("maximize", max), ("minimize", min)])
def test_cell_holds_the_best_of_its_trials(direction: str, pick) -> None:
    table = grid_table(24, direction, resolution=4, single="depth=3")
    data = CELLS.compute(table)
    for cell in range(12):
        mine = np.flatnonzero((data.y.places * 4 + data.x.places) == cell)
        assert data.values[cell] == pick(table.values[mine])


def test_running_and_failed_trials_fill_a_cell_without_a_value() -> None:
    table = grid_table(3, resolution=4)
    states = np.array([TrialState.COMPLETE, TrialState.RUNNING, TrialState.FAIL], dtype=np.int8)
    values = np.array([0.5, np.nan, np.nan])
    data = CELLS.compute(replace(table, states=states, values=values))
    assert (data.best >= 0).sum() == data.running.sum() == 1
    assert data.tried.sum() == 2
    assert [t["name"] for t in CELLS.draw(data, LIVE)["data"]] == [
        "best value",
        "tried",
        "still open",
        "running",
        "no value",
    ]


def test_trials_of_others_beside_the_grid_are_counted_and_left_out() -> None:
    table = grid_table(6, resolution=4)
    off = table.params["C"].copy()
    off[2] *= 1.01
    data = CELLS.compute(replace(table, params=table.params | {"C": off}))
    assert data.n_off == 1
    assert data.tried.sum() == 5
    assert "1 trial beside the grid left out" in CELLS.caption(data)


def test_grid_of_another_program_is_seen_by_its_values() -> None:
    table = replace(grid_table(60, resolution=6), thoughts=np.full(60, "", dtype=object))
    data = CELLS.compute(table)
    assert (len(data.x), len(data.y)) == (6, 5)
    assert data.cell_size is None


def test_click_gives_the_values_of_the_cell() -> None:
    data = CELLS.compute(grid_table(4, resolution=3))
    assert CELLS.locate(data, 1.2, 0.4) == {"C": pytest.approx(1.0), "depth": 1}


def test_grid_of_one_parameter_is_one_row() -> None:
    one = build_table(5, distributions={"depth": KINDS["depth"]}, params={"depth": np.array([1.0, 3.0, 5.0, 1.0, 9.0])})
    data = CELLS.compute(one)
    assert (len(data.x), len(data.y), data.y.name) == (4, 1, "")
    assert CELLS.locate(data, 2, 0) == {"depth": 5}
    assert data.tried.tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"x": "nothing"}, "There is no parameter 'nothing'"),
        ({"x": "C", "y": "C"}, "Both sides are C"),
        ({"x": "C"}, "C takes one value, or more than 40"),
    ],
)
def test_side_that_cannot_be_gets_a_sentence(options: dict[str, str], words: str) -> None:
    assert words in (with_options(CELLS, options).why_unavailable(build_table(60)) or "")


def test_study_without_a_grid_says_so() -> None:
    table = build_table(60, distributions={"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)})
    assert "there is no grid" in (CELLS.why_unavailable(table) or "")
