"""Compare: two to six studies on one chart, their best trials side by side, and what of a lead is luck."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from hpo_core.analysis.comparison import MOST, Compared
from hpo_core.analysis.noise import Difference
from hpo_core.analysis.optimism import corrected_best
from hpo_core.analysis.study_comparison import (
    StudyUnderTest,
    best_of_study,
    difference_without_luck,
    fits_done,
    overlap_of,
    why_incomparable,
)
from hpo_core.errors import StorageError, TuningError
from hpo_core.formats import format_score
from hpo_core.methods import METHODS
from hpo_core.plots import LIVE, figure_json, overlay_alt, overlay_figure, overlay_numbers, why_no_overlay
from hpo_core.problem import ProblemSpec
from hpo_core.studies.study import Study
from pages._shared.chart_card import numbers
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab
from pages._shared.live_plot import live_plot
from pages._shared.score_card import verdict_html
from pages._shared.side_by_side import side_by_side

_RUNNING_SECONDS, _IDLE_SECONDS = 2.0, 5.0
_AXES = {"trial": "by trial", "fit": "by fit", "second": "by second"}


def page() -> None:
    """The comparison that the address names, which renews itself: often while one of the studies is searched."""
    names = list(dict.fromkeys(st.query_params.get_all("study")))
    st.html(f'<div class="lab-problem"><h1>Compare</h1><p>{escape(", ".join(names[:MOST]))}</p></div>')
    is_active = _is_active(names)
    every = _RUNNING_SECONDS if is_active else _IDLE_SECONDS
    guarded_fragment(_comparison, what="The comparison", key="comparison", every=every)(names, is_active)


def _is_active(names: list[str]) -> bool:
    try:
        return any(summary.name in names for summary in the_lab().running())
    except TuningError:
        return False  # the comparison says why, and tries again


def _comparison(names: list[str], was_active: bool) -> None:
    studies = _opened(names)
    if len(studies) < 2:
        _too_few()
        return
    why = why_incomparable(studies) or ""
    if not why:
        _chart(studies)
    _best_trials(studies, why)
    if _is_active(names) != was_active:
        st.rerun()


def _opened(names: list[str]) -> list[StudyUnderTest]:
    """The studies with these names; a sentence for each that is not there."""
    if len(names) > MOST:
        st.warning(f"At most {MOST} studies can be compared; the first {MOST} of {len(names)} are.")
    studies = []
    for name in names[:MOST]:
        try:
            studies.append(_under_test(the_lab().study(name)))
        except StorageError:
            raise  # no other study would open either
        except TuningError as fault:
            st.warning(plain(str(fault)))
    return studies


def _under_test(study: Study) -> StudyUnderTest:
    described = study.attributes.get("problem") if study.key else None
    run = study.runs.current()
    method = run.settings.method if run else ""
    return StudyUnderTest(
        name=study.name,
        table=the_lab().table_of(study),
        problem=ProblemSpec.from_json(described) if described else None,
        method=METHODS[method].label if method in METHODS else method or "by hand",
    )


def _too_few() -> None:
    st.html(
        '<div class="lab-empty"><h3>Nothing to compare yet</h3><p>Tick two to six studies in the list: their progress '
        "comes on one chart, their best trials side by side, and what of a lead is luck.</p>"
        '<p><a href="/studies" target="_self">Studies</a></p></div>'
    )


def _chart(studies: list[StudyUnderTest]) -> None:
    named = [(study.name, study.table) for study in studies]
    with st.container(key="card-overlay", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Which got better faster?", anchor=False, width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                x = st.segmented_control(
                    "Progress",
                    list(_AXES),
                    default="fit",
                    required=True,
                    format_func=_AXES.__getitem__,
                    key="overlay-x",
                    label_visibility="collapsed",
                )
                menu = st.popover("More", key="overlay-menu", on_change="rerun", help="Numbers, download")
        if why := why_no_overlay(named, x):
            st.info(plain(why))
            return
        live_plot(
            figure_json(overlay_figure(named, x, LIVE.naming(_metric(studies)))),
            key="overlay-plot",
            height=400,
            alt=overlay_alt(named),
            filename="comparison",
        )
        st.caption(
            "Each line is the best so far of a study, its band one standard deviation over the folds. Look where lines "
            "stand above the same x: at the same budget. Drag to zoom, double-click to see all."
        )
        if menu.open:
            with menu:
                numbers(overlay_numbers(named, x), "comparison", "overlay")


def _metric(studies: list[StudyUnderTest]) -> str:
    problem = studies[0].problem
    return problem.metric if problem else "value"


def _best_trials(studies: list[StudyUnderTest], why: str) -> None:
    waiting = [study.name for study in studies if study.table.best() is None]
    n_fits = 0 if why else min((fits_done(s.table) for s in studies if s.name not in waiting), default=0)
    scored = [(study, found) for study in studies if (found := best_of_study(study, n_fits)) is not None]
    if waiting:
        st.info(plain(f"No finished trial yet in {' and '.join(waiting)}."))
    if len(scored) < 2:
        return
    problem = scored[0][0].problem
    with st.container(key="card-best-trials", gap="small"):
        st.subheader("How do their best trials differ?", anchor=False)
        side_by_side(
            [found for _, found in scored],
            direction=scored[0][0].table.direction,
            overlap=overlap_of(problem) if problem else 0.0,
            key="compare-studies",
            value_label=_metric([study for study, _ in scored]),
            why_incomparable=why,
            links=[_address(study, found) for study, found in scored],
        )
    if not why and problem is not None:
        _luck([study for study, _ in scored], overlap_of(problem))


def _address(study: StudyUnderTest, best: Compared) -> str:
    """Where the sliders stand on the best trial."""
    if study.problem is None:
        return f"/study?{urlencode({'name': study.name})}"
    values = {f"p.{name}": str(value) for name, value in best.configuration.items()}
    return f"/?{urlencode({'study': study.name, **values})}"


def _luck(studies: list[StudyUnderTest], overlap: float) -> None:
    """How much of each best value comes from picking it among many, and what is left of the lead."""
    rows = [row for study in studies if (row := _luck_row(study, studies[0], overlap))]
    if len(rows) < 2:
        return
    with st.container(key="card-luck", gap="small"):
        st.subheader("How much of it is luck?", anchor=False)
        heads = ("Study", "Best of", "Best value", "On new rows", f"Against {studies[0].name}")
        st.html(html_table("Luck", heads, rows))
        st.caption(
            "The best of many noisy scores looks better than it is: on new rows expect about the value in bold, within "
            "its 95 % interval. The verdict compares the best trials fold by fold, without that luck. Trust it; the "
            "locked rows have the last word."
        )


def _luck_row(study: StudyUnderTest, first: StudyUnderTest, overlap: float) -> tuple[str, ...]:
    table, row = study.table, study.table.best()
    honest = corrected_best(table, overlap=overlap)
    if row is None or honest is None:
        return ()
    difference = None if study is first else difference_without_luck(table, first.table, overlap)
    return (
        escape(shown_name(study.name)),
        f"{honest.n_trials:,} trials",
        format_score(float(table.values[row])),
        f"<b>{format_score(honest.value)}</b> ± {honest.half_width:.2g}",
        _against(difference),
    )


def _against(difference: Difference | None) -> str:
    return '<span class="lab-note">the reference</span>' if difference is None else verdict_html(difference)


page()
