"""The ablation path: from the default to the best, real ends beside expected ones, and what changed nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.plots.ablation import AblationData
from hpo_core.studies.table import TrialTable
from tests.known_functions import of_units
from tests.trial_tables import build_table, many_parameters

ABLATION = PLOTS["ablation"]


def _study(d: int = 4, n: int = 120) -> TrialTable:
    """The default is far off in x0 and x1; x2 and the others do nothing."""
    units = np.random.default_rng(3).random((n, d))
    units[0, :2] = 0.95
    return of_units(units, 2 * units[:, 0] ** 2 + units[:, 1] ** 2)


def test_path_goes_from_the_default_to_the_best() -> None:
    table = _study()
    data = ABLATION.compute(table)
    assert (data.path.start, data.path.end) == (0, table.best())
    assert data.start_label == "default"
    assert [step.label for step in data.steps][:2] == ["x0", "x1"]
    labels = ABLATION.draw(data, LIVE)["layout"]["yaxis"]["ticktext"]
    assert labels[0] == "default"
    assert labels[-1] == f"best, trial {table.best()}"
    assert "x0" in labels[1]


def test_bars_follow_on_each_other_and_end_at_what_is_expected_of_the_best() -> None:
    data = ABLATION.compute(_study())
    bars = next(t for t in ABLATION.draw(data, LIVE)["data"] if t["type"] == "bar")
    ends = np.array(bars["base"]) + np.array(bars["x"])
    np.testing.assert_allclose(ends[:-1], bars["base"][1:])
    assert bars["base"][0] == pytest.approx(data.path.start_value)
    assert ends[-1] == pytest.approx(data.path.end_value)


def test_real_values_of_both_ends_are_marked() -> None:
    table = _study()
    marks = {t["name"]: t for t in ABLATION.draw(ABLATION.compute(table), LIVE)["data"] if "customdata" in t}
    assert marks["start"]["customdata"][0][0] == 0
    assert marks["start"]["x"][0] == table.values[0]
    assert marks["best"]["customdata"][0][0] == table.best()
    assert marks["best"]["x"][0] == table.values[table.best() or 0]


def test_what_changed_nothing_is_said_and_hollow() -> None:
    table = _study()
    noisy = replace(table, values=table.values + 0.02 * np.random.default_rng(0).standard_normal(len(table)))
    data = ABLATION.compute(noisy)
    assert {c.name for c in data.path.changes if c.is_clear} == {"x0", "x1"}
    assert "The other 2 changes made no difference beyond doubt" in ABLATION.caption(data)
    assert "2 other changes made no difference beyond doubt" in ABLATION.alt(data)
    bars = next(t for t in ABLATION.draw(data, LIVE)["data"] if t["type"] == "bar")
    assert ["@0.12" in colour for colour in bars["marker"]["color"]] == [not step.is_clear for step in data.steps]


def test_distance_of_the_model_from_both_real_values_is_said() -> None:
    data = ABLATION.compute(_study())
    assert "It expects 2.7" in ABLATION.caption(data)
    assert "for the default, which got 2.708" in ABLATION.caption(data)


def test_person_chooses_where_it_begins() -> None:
    table = _study()
    data = with_options(ABLATION, {"start": 7}).compute(table)
    assert data.path.start == 7
    assert data.start_label == "trial 7"


def test_without_a_default_it_begins_at_the_first_trial_and_says_so() -> None:
    table = replace(_study(), arms=np.full(120, "tpe"))
    data = ABLATION.compute(table)
    assert data.path.start == 0
    assert ABLATION.caption(data).startswith("No default was tried")
    assert ABLATION.alt(data).startswith("From trial 0 to the best")


def test_long_path_is_drawn_in_part_and_listed_whole() -> None:
    table = build_table(150, distributions=many_parameters(20))
    data: AblationData = ABLATION.compute(table)
    assert len(data.steps) == 12
    assert data.steps[-1].label == f"the other {len(data.path.changes) - 11} changes"
    assert data.steps[-1].after == pytest.approx(data.path.end_value)
    assert len(ABLATION.numbers(data)) == len(data.path.changes)


@pytest.mark.parametrize(
    ("change", "start", "words"),
    [
        ({}, 5000, "There is no trial 5000"),
        ({"hidden": frozenset({7})}, 7, "There is no trial 7"),
        (
            {"values": np.where(np.arange(120) == 0, -9.0, 1 + _study().values)},
            -1,
            "The best trial is the default itself",
        ),
        ({"params": dict.fromkeys(_study().params, np.full(120, 0.5))}, -1, "No parameter differs"),
    ],
)
def test_why_there_is_no_path(change: dict[str, object], start: int, words: str) -> None:
    plot = with_options(ABLATION, {"start": start})
    assert words in str(plot.why_unavailable(replace(_study(), **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "d", "need"), [(5, 4, 12), (11, 4, 12), (30, 20, 40)])
def test_too_few_trials_are_counted(n: int, d: int, need: int) -> None:
    why = str(ABLATION.why_unavailable(_study(d, n)))
    assert why.endswith(f"it takes at least {need} finished trials; so far there are {n}.")
