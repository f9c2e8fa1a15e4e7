"""The finalists round on the screen: what it would cost, its progress, and who wins on fresh folds or that they tie."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import streamlit as st

from hpo_core.analysis.finals import FinalsVerdict, Ranked, fresh_in_words
from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_score, format_seconds, format_signed
from hpo_core.search.finalists import (
    MOST_DRAWS,
    choose_finalists,
    expected_seconds,
    folds_of_draw,
    suited_draws,
    why_no_fresh_folds,
)
from hpo_core.search.finals_process import start_finals
from hpo_core.search.finals_round import (
    FinalsFound,
    FinalsRound,
    ask_again,
    ask_for_finals,
    ask_to_go_on,
    finals_of,
    stop_finals,
)
from hpo_core.search.judging import finalist_name, verdict_on_finals
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.progress_bar import progress_bar
from pages._shared.tuning import Tuning, load, move_sliders

_POLL_SECONDS = 0.7
_TOP, _MOST_TOP = 5, 20
_FAULT = "finals-fault"
_HELP = (
    "scores the best configurations, yours and the machine's, and the default again on other divisions of the same "
    "rows, which had no part in choosing them: who wins there, or are they tied?"
)
_BROKEN = {
    "stopped": "Cancelled. What was fitted is kept.",
    "died": "Its process ended before it was done. What was fitted is kept.",
    "failed": "",
}


def last_finals(tuning: Tuning) -> FinalsRound | None:
    """The last finalists round of the study; None before the first."""
    return None if tuning.study is None or not tuning.study.key else finals_of(tuning.study)


def finals_state(now: FinalsRound | None) -> tuple[str, str]:
    """Which round there is, and how it stands: charts that show another are behind."""
    return ("", "") if now is None else (now.plan.key, now.state)


def why_no_finals(tuning: Tuning) -> str:
    """A line of HTML why nothing can be scored on fresh folds; "" where it can."""
    why = why_no_fresh_folds(tuning.problem.spec)
    return f'<p class="lab-note">No finalists round: {escape(why[:1].lower() + why[1:])}</p>' if why else ""


def fresh_note(tuning: Tuning, now: FinalsRound | None, number: int) -> str:
    """What fresh folds say of a trial, to stand behind its value; "" where they were not asked."""
    if now is None or now.found is None:
        return ""
    verdict = verdict_on_finals(tuning.problem, now.found)
    for one in verdict.ranked:
        if now.found.plan.finalists[one.place].trial == number and math.isfinite(one.mean):
            return f" in the search, {fresh_in_words(one)} on fresh folds"
    return ""


def finals_button(tuning: Tuning, table: TrialTable, now: FinalsRound | None) -> None:
    """The way to a first round, with what it costs; not there where none can be held, or once there is a card."""
    if now is not None or why_no_fresh_folds(tuning.problem.spec) or table.best() is None:
        return
    menu = st.popover("Finalists round", key="finals-menu", help=_HELP, on_change="rerun")
    if menu.open:
        with menu:
            _form(tuning, table)


def finals_card(tuning: Tuning, now: FinalsRound | None) -> None:
    """The last round of the study, renewed while it is held; nothing without one."""
    if now is None:
        return
    every = _POLL_SECONDS if now.is_active else None
    shown = (now.plan.key, now.is_active)
    guarded_fragment(_card, what="The finalists round", key="finals-card", every=every)(tuning, shown)


def score_again(tuning: Tuning, numbers: Sequence[int]) -> None:
    """Begins a round of these trials beside those of the last one, in a process of its own.

    Raises:
        TuningError: It cannot be begun.
    """
    lab, study = the_lab(), tuning.study
    assert study is not None
    asked = ask_again(study, tuning.problem, lab.table_of(study), numbers, workers=_workers())
    start_finals(lab.storage, study, asked, lab.folder)


def _workers() -> int:
    return min(2, os.cpu_count() or 1)


# Beginning


def _form(tuning: Tuning, table: TrialTable) -> None:
    """How many are scored how often, and what that costs."""
    problem = tuning.problem
    top = st.number_input("Best configurations", 1, _MOST_TOP, _TOP, key="finals-top", help="the default comes beside")
    suited, n_folds = suited_draws(problem.spec), folds_of_draw(problem.spec)
    draws = st.number_input(
        "Draws of fresh folds", 1, MOST_DRAWS, suited, key="finals-draws", help=f"each gives {n_folds} scores"
    )
    chosen = choose_finalists(problem, table, int(top))
    n_scores = int(draws) * n_folds
    seconds = expected_seconds(table, chosen, n_scores, _workers())
    takes = "" if seconds is None else f", about {format_seconds(max(seconds, 1.0))}"
    st.caption(
        f"{format_count(len(chosen), 'configuration')} on {n_scores} fresh folds: {len(chosen) * n_scores:,} "
        f"fits{takes}. The locked rows stay locked."
    )
    st.button("Start", key="finals-start", type="primary", on_click=_act, args=(_start, tuning, int(top), int(draws)))


def _act(action: Callable[..., None], tuning: Tuning, *arguments: Any) -> None:
    """Runs a button's action; a fault is shown in the card until the next one."""
    st.session_state.pop(_FAULT, None)
    try:
        action(tuning, *arguments)
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
    st.rerun("live-charts")


def _start(tuning: Tuning, top: int, draws: int) -> None:
    lab, study = the_lab(), tuning.study
    if study is None or ((now := finals_of(study)) is not None and now.is_active):
        return  # the second of two clicks
    table = lab.table_of(study)
    chosen = choose_finalists(tuning.problem, table, top)
    asked = ask_for_finals(study, chosen, draws, workers=_workers(), n_trials=int(table.is_complete.sum()))
    start_finals(lab.storage, study, asked, lab.folder)


def _go_on(tuning: Tuning) -> None:
    lab, study = the_lab(), tuning.study
    if study is not None and (now := finals_of(study)) is not None and now.can_go_on:
        start_finals(lab.storage, study, ask_to_go_on(study), lab.folder)


def _cancel(tuning: Tuning) -> None:
    if tuning.study is not None:
        stop_finals(tuning.study)


# The card


def _card(tuning: Tuning, shown: tuple[str, bool]) -> None:
    now = last_finals(tuning)
    if now is None or (now.plan.key, now.is_active) != shown:
        st.rerun()  # what stands around it must know too
    with st.container(key="finals"):
        if fault := st.session_state.get(_FAULT, ""):
            st.error(plain(fault))
        if now.is_active:
            _under_way(tuning, now)
        elif now.can_go_on:
            _broken_off(tuning, now)
        if now.found is not None:
            _result(tuning, now.found, "The last round" if now.is_active else "Finalists round")
            if not now.is_active:
                _foot(tuning, now, now.found)


def _under_way(tuning: Tuning, now: FinalsRound) -> None:
    pace = now.pace
    doing = "opening the problem" if not pace.total else f"{pace.done:,} of {pace.total:,} fits"
    left = "" if pace.seconds_left is None else f" · {format_seconds(pace.seconds_left)} left"
    who = format_count(len(now.plan.finalists), "configuration")
    share = pace.done / pace.total if pace.total else 0.0
    bar = progress_bar("fits on fresh folds", share)
    st.html(
        f'<div class="lab-finals-progress" role="status"><b>Finalists round</b>{bar}'
        f'<p class="lab-note">Scoring {who} on fresh folds: {doing}{left}</p></div>'
    )
    st.button("Cancel", key="finals-cancel", on_click=_act, args=(_cancel, tuning))


def _broken_off(tuning: Tuning, now: FinalsRound) -> None:
    why = now.fault if now.state == "failed" else _BROKEN[now.state]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.html(f'<div role="status"><b>Finalists round</b><p class="lab-fault">{escape(why)}</p></div>')
        st.button("Go on", key="finals-go-on", on_click=_act, args=(_go_on, tuning))


def _result(tuning: Tuning, found: FinalsFound, heading: str) -> None:
    verdict = verdict_on_finals(tuning.problem, found)
    first, *others = verdict.sentences
    more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others)
    reasons = "".join(
        f'<p class="lab-fault">{escape(finalist_name(tuning.problem, one))} gave no score: {escape(fresh.why)}</p>'
        for one, fresh in zip(found.plan.finalists, found.scores, strict=True)
        if fresh.why
    )
    arrow = "↑" if tuning.problem.direction == "maximize" else "↓"
    heads = ("Finalist", f"In the search {arrow}", f"Fresh folds {arrow}", "To the leader")
    rows = [_row(tuning, found, verdict, one) for one in verdict.ranked]
    st.html(
        f'<div role="status"><p><b>{heading}</b> · {escape(first)}</p>{more}{reasons}</div>'
        f"{html_table('Finalists', heads, rows)}"
    )


def _row(tuning: Tuning, found: FinalsFound, verdict: FinalsVerdict, one: Ranked) -> tuple[str, ...]:
    finalist = found.plan.finalists[one.place]
    name = finalist_name(tuning.problem, finalist)
    number = f" (trial {finalist.trial})" if name == "the default" and finalist.trial is not None else ""
    mark = "●" if one is verdict.leader else "○" if one.is_tied else ""
    shown = f'<span class="lab-finals-mark" aria-hidden="true">{mark}</span>{escape(name)}{number}'
    fresh = f"<b>{fresh_in_words(one)}</b>" if math.isfinite(one.mean) else "failed"
    return shown, format_score(finalist.value), fresh, _standing(verdict, one)


def _standing(verdict: FinalsVerdict, one: Ranked) -> str:
    if one is verdict.leader:
        return "leads"
    if one.judgement is None:
        return ""
    gap = format_signed(-one.judgement.mean)
    how = f"95 % interval ± {one.judgement.half_width:.2g}, p {one.judgement.p_value:.2g}"
    if not one.is_tied:
        return f'<span class="lab-verdict lab-worse" title="{how}">{gap} ▼ worse</span>'
    n_more = one.judgement.n_more
    how += f"; about {n_more:,} more scores would tell them apart" if n_more else ""
    return f'<span class="lab-verdict lab-tie" title="{how}">{gap} = tied</span>'


def _foot(tuning: Tuning, now: FinalsRound, found: FinalsFound) -> None:
    leader = verdict_on_finals(tuning.problem, found).leader
    with st.container(key="finals-foot", horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.html(f'<p class="lab-note">{_folds_in_words(tuning, found)}</p>')
        if leader is not None:
            there = found.plan.finalists[leader.place].configuration
            args = (tuning, load, there)
            st.button("Put the sliders on the leader", key="finals-load", on_click=move_sliders, args=args)
        if found.plan.draws < MOST_DRAWS and not now.can_go_on:
            st.button(
                "More folds", key="finals-more", on_click=_act, args=(_more, tuning, found), help=_more_help(found)
            )
        menu = st.popover("Anew", key="finals-menu", help=_HELP, on_change="rerun")
        if menu.open:
            with menu:
                assert tuning.study is not None
                _form(tuning, the_lab().table_of(tuning.study))


def _more(tuning: Tuning, found: FinalsFound) -> None:
    score_again(tuning, [one.trial for one in found.plan.finalists if one.trial is not None])


def _more_help(found: FinalsFound) -> str:
    return f"The same {len(found.plan.finalists)} on more draws of fresh folds; what was fitted is not fitted again"


def _folds_in_words(tuning: Tuning, found: FinalsFound) -> str:
    assert tuning.study is not None
    n_scores = max(len(fresh.scores) for fresh in found.scores)
    since = int(the_lab().table_of(tuning.study).is_complete.sum()) - found.plan.n_trials
    later = f"; {format_count(since, 'trial')} more since" if since > 0 else ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.ended))
    drawn = f"{format_count(n_scores, 'fresh fold')} each ({escape(found.folds)}, drawn {found.plan.draws} ×)"
    return (
        f"{drawn}, {when}, of {format_count(found.plan.n_trials, 'finished trial')}{later}. Means with their 95 % "
        "interval; tied by the corrected resampled t-test (Nadeau and Bengio 2003) with Holm's correction."
    )
