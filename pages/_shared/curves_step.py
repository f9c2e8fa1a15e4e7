"""Learning and validation curves of one configuration, drawn on demand: the cost first, then progress, then words."""

from __future__ import annotations

import math
from collections.abc import Hashable
from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.curves import in_words
from hpo_core.errors import StorageError, TuningError
from hpo_core.formats import format_count, format_seconds
from hpo_core.plots import LIVE, curve_alt, curve_figure, curve_numbers, figure_json
from hpo_core.problem import ModelProblem
from hpo_core.search.curves import CurvePlan, CurveRun, cost_of, plan_learning_curve, plan_validation_curve
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable
from pages._shared.chart_card import numbers
from pages._shared.fault import guarded_fragment, plain
from pages._shared.lab import the_lab
from pages._shared.live_plot import live_plot
from pages._shared.parameters import is_locked
from pages._shared.step import Step
from pages._shared.trial_grid import grid_view
from pages._shared.tuning import Tuning, study_of

_POLL_SECONDS = 0.7
_ROWS, _VALUES = "training rows", "a parameter"
_SLIDERS = -1
_POINTS = {_ROWS: 8, _VALUES: 9}
_HOW_TO_READ = (
    "Lines are means over the folds, bands one standard deviation. The dashed line is the score on the training rows, "
    "the solid one that on new rows; the star is the chosen configuration."
)
_HELP = "Fits one configuration with fewer rows, or with other values of one parameter, on the same folds."
_AHEAD = " The dotted end is what twice the rows are expected to give."


def _step(tuning: Tuning, table: TrialTable) -> None:
    """The form and the last curve; while one is being drawn it renews itself."""
    run = _run(tuning)
    is_drawing = run is not None and not run.is_over
    every = _POLL_SECONDS if is_drawing else None
    guarded_fragment(_card, what="The curves", key="curves", every=every)(tuning, is_drawing)


def _key(tuning: Tuning) -> Hashable:
    return tuning.who if tuning.study is None else tuning.study.key


def _run(tuning: Tuning) -> CurveRun | None:
    return the_lab().curves.of(_key(tuning))


def _card(tuning: Tuning, was_drawing: bool) -> None:
    run = _run(tuning)
    if (run is not None and not run.is_over) != was_drawing:
        st.rerun()
    with st.container(key="curves-step", gap="small"):
        table = None if tuning.study is None else the_lab().table_of(tuning.study)
        _form(tuning, table, was_drawing)
        if run is not None:
            _drawn(tuning, table, run)


def _form(tuning: Tuning, table: TrialTable | None, is_drawing: bool) -> None:
    kinds = [_ROWS, _VALUES] if isinstance(tuning.problem, ModelProblem) else [_VALUES]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="curves-form"):
        kind = st.segmented_control("Score over", kinds, default=kinds[0], required=True, key="curves-kind")
        whose = st.selectbox(
            "Of",
            _choices(tuning, table),
            format_func=lambda number: "the sliders" if number == _SLIDERS else f"trial {number}",
            key="curves-of",
            help="where the sliders stand, the best trial, or a trial that is ticked in the table",
            width=150,
        )
        values = _values(tuning, table, whose)
        parameter = _parameter(tuning, values) if kind == _VALUES else ""
        points = st.number_input("Points", 4, 25, _POINTS[kind], key=f"curves-points-{kinds.index(kind)}", width=110)
    try:
        plan = _plan(tuning, values, parameter, int(points))
    except TuningError as fault:
        st.caption(plain(str(fault)))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Draw the curve", key="curves-draw", on_click=_start, args=(tuning, plan), disabled=is_drawing)
        st.caption(_cost(plan, table), width="content")


def _choices(tuning: Tuning, table: TrialTable | None) -> list[int]:
    """The sliders, the best trial, and the trials that are ticked."""
    if table is None or (best := table.best()) is None:
        return [_SLIDERS]
    ticked = [number for number in grid_view("views-trials-grid").ticked if (table.numbers == number).any()]
    return list(dict.fromkeys([_SLIDERS, int(table.numbers[best]), *ticked]))


def _values(tuning: Tuning, table: TrialTable | None, number: int) -> Configuration:
    """Values of the chosen configuration, and where the sliders of inactive parameters stand."""
    if number == _SLIDERS or table is None:
        return dict(tuning.values)
    row = int(np.flatnonzero(table.numbers == number)[0])
    return {**tuning.problem.space.defaults(), **table.configuration(row)}


def _parameter(tuning: Tuning, values: Configuration) -> str:
    space = tuning.problem.space
    names = [name for name in space.completed(values) if not is_locked(space[name])]
    chosen = st.selectbox(
        "Parameter", names, format_func=lambda name: space[name].title, key="curves-parameter", width=200
    )
    return chosen or ""


def _plan(tuning: Tuning, values: Configuration, parameter: str, points: int) -> CurvePlan:
    if parameter:
        return plan_validation_curve(tuning.problem, values, parameter, points)
    return plan_learning_curve(tuning.problem, tuning.problem.space.completed(values), points)


def _cost(plan: CurvePlan, table: TrialTable | None) -> str:
    typical = math.nan
    if table is not None and len(seconds := _seconds_of_fits(table)):
        typical = float(np.median(seconds))
    curves = the_lab().curves
    cost = cost_of(plan, curves.fits, typical)
    if cost.n_known == cost.n_fits:
        return f"All {cost.n_fits} fits are known already: it costs nothing."
    text = (
        f"{format_count(len(plan.points), 'point')} × {format_count(plan.problem.n_folds, 'fold')} = {cost.n_fits} fits"
    )
    text += f", {cost.n_known} of them known" if cost.n_known else ""
    seconds = cost.seconds / curves.n_at_once
    return text + (f"; about {format_seconds(seconds)}" if math.isfinite(seconds) else "; how long is not known yet")


def _seconds_of_fits(table: TrialTable) -> np.ndarray:
    whole = table.mean_of("fit_seconds") + 2 * table.mean_of("predict_seconds")
    return whole[table.is_complete & np.isfinite(whole)]


def _start(tuning: Tuning, plan: CurvePlan) -> None:
    try:
        study_of(tuning)  # a curve is found again by its study, also after a reload
    except StorageError as fault:
        tuning.notices.append(f"The curve is not kept for a reload: {fault}")
    the_lab().curves.start(_key(tuning), plan)


def _cancel(tuning: Tuning) -> None:
    if (run := _run(tuning)) is not None:
        run.cancel()


def _forget(tuning: Tuning) -> None:
    the_lab().curves.forget(_key(tuning))


def _drawn(tuning: Tuning, table: TrialTable | None, run: CurveRun) -> None:
    curve, label = run.curve(), tuning.problem.metric_label
    with st.container(key="curves-drawn", gap="small"):
        if not run.is_over:
            _progress(tuning, run)
        if np.isfinite(curve.valid).any():
            st.html(f'<p class="lab-note"><b>{escape(_title(tuning, table, run))}</b></p>')
            figure = figure_json(curve_figure(curve, LIVE.naming(label)))
            live_plot(figure, key="curves-plot", height=380, alt=curve_alt(curve), filename="curve")
        if run.is_over:
            said = "".join(f"<p>{escape(sentence)}</p>" for sentence in in_words(curve))
            st.html(f'<div class="lab-outcome" role="status">{said}{_faults(run)}</div>')
            st.caption(_HOW_TO_READ + (_AHEAD if run.plan.kind == "learning" else "") + _incomplete(run))
            with st.container(horizontal=True, gap="small"):
                with st.popover("Numbers"):
                    numbers(curve_numbers(curve), "curve", "curves-numbers")
                st.button("Close", key="curves-close", type="tertiary", on_click=_forget, args=(tuning,))


def _title(tuning: Tuning, table: TrialTable | None, run: CurveRun) -> str:
    plan = run.plan
    chosen = plan.points[plan.chosen].configuration
    what = "Learning curve" if plan.kind == "learning" else f"Validation curve over {plan.label}"
    rows = [] if table is None else table.rows_of(chosen)
    named = f"trial {int(table.numbers[rows[0]])}" if table is not None and len(rows) else "settings without a trial"
    return f"{what} of {named}" + ("" if chosen == tuning.configuration else "; the sliders stand elsewhere")


def _incomplete(run: CurveRun) -> str:
    n_missing = run.plan.n_fits - run.n_done
    return f" Given up after {run.n_done} of {run.plan.n_fits} fits." if n_missing else ""


def _faults(run: CurveRun) -> str:
    if not run.faults:
        return ""
    first = next(iter(run.faults.values()))
    return f'<p class="lab-fault">{format_count(len(run.faults), "fit")} failed; the first: {escape(first)}</p>'


def _progress(tuning: Tuning, run: CurveRun) -> None:
    done, n = run.n_done, run.plan.n_fits
    left = f" · {format_seconds(run.seconds_left)} left" if math.isfinite(run.seconds_left) else ""
    st.html(
        f'<div class="lab-progress" role="status"><div class="lab-bar" role="progressbar" aria-label="fits done" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{100 * done / n:.0f}">'
        f'<span style="width:{100 * done / n:.1f}%"></span></div>'
        f'<p class="lab-note">{done} of {format_count(n, "fit")}{left}</p></div>'
    )
    st.button("Cancel", key="curves-cancel", on_click=_cancel, args=(tuning,))


CURVES = Step(
    "curves", "Learning curves", "Would more rows, or another value, help?", _HELP, lambda tuning, table: True, _step
)
