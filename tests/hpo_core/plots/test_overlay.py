"""Studies in one picture: the best so far of each, in colours that keep their order."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from hpo_core.errors import UsageError
from hpo_core.plots import LIGHT, LIVE, figure_json, overlay_alt, overlay_figure, overlay_numbers, why_no_overlay
from tests.trial_tables import build_table, with_faults


def studies(n: int = 3, n_trials: int = 40, **settings: object) -> list:
    return [(f"study {i}", with_faults(build_table(n_trials, seed=i, **settings))) for i in range(n)]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("x", ["trial", "fit", "second"])
def test_line_of_each_study_ends_at_its_best(direction: str, x: str) -> None:
    tables = studies(direction=direction)
    figure = overlay_figure(tables, x)
    go.Figure(overlay_figure(tables, x, LIGHT))
    figure_json(figure)
    for name, table in tables:
        line = next(t for t in figure["data"] if t.get("name") == name and t["mode"] == "lines")
        assert line["y"][-1] == table.values[table.best()]
        steps = overlay_numbers(tables, x).query("study == @name")["best so far"].to_numpy() * table.sign
        assert (np.diff(steps) < 0).all()


def test_colours_follow_the_order_given() -> None:
    figure = overlay_figure(studies(8))
    colours = [t["line"]["color"] for t in figure["data"] if t["mode"] == "lines" and "name" in t]
    assert colours == list(LIVE.arms)


def test_marks_carry_the_number_of_their_trial() -> None:
    tables = studies(1)
    marks = next(t for t in overlay_figure(tables)["data"] if t["mode"] == "markers")
    assert marks["customdata"][-1] == [tables[0][1].numbers[tables[0][1].best()]]


def test_study_without_a_value_is_left_out_and_counted() -> None:
    tables = [*studies(1), ("empty", build_table(0))]
    assert "empty" not in {t.get("name") for t in overlay_figure(tables)["data"]}
    assert overlay_alt(tables).endswith("1 without a value.")


def test_best_study_is_named_first() -> None:
    tables = studies(4, direction="minimize")
    best = min(tables, key=lambda named: named[1].values[named[1].best()])[0]
    assert overlay_alt(tables).startswith(f"Best values, best first: {best} ")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([], "at least one"),
        (studies(9, 5), "up to 8"),
        ([*studies(1), *studies(1, direction="minimize")], "minimise"),
        ([("empty", build_table(0))], "finished trial yet"),
    ],
)
def test_why_there_is_no_overlay(tables: list, words: str) -> None:
    assert words in (why_no_overlay(tables) or "")


def test_studies_without_times_ask_for_another_axis() -> None:
    tables = [("foreign", build_table(9, completed=np.full(9, np.nan), started=np.full(9, np.nan)))]
    assert "trials or in fits" in (why_no_overlay(tables, "second") or "")
    assert why_no_overlay(tables) is None


def test_unknown_axis_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="trial, fit, second"):
        overlay_figure(studies(1), "metre")


def test_names_are_shown_as_they_stand() -> None:
    figure = overlay_figure([("<b>%{x}</b> 🦊", build_table(9))])
    assert not [t for t in figure["data"] if "<b>%{" in t.get("hovertemplate", "").replace("<b>&lt;", "")]
