"""The finalists round on the screen: what it would cost, its progress, and who wins on fresh folds or that they tie."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from html import escape

import streamlit as st

from hpo_core.analysis.finals import FinalsVerdict, Ranked, fresh_in_words
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
from hpo_core.search.finals_round import FinalsFound, FinalsRound, ask_again, ask_for_finals, finals_of
from hpo_core.search.judging import finalist_name, verdict_on_finals
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment
from pages._shared.finals_progress import finals_action, last_finals
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.step import Step
from pages._shared.tuning import Tuning, load, move_sliders

_TOP, _MOST_TOP = 5, 20
_HELP = (
    "Scores the best configurations, yours and the machine's, and the default again on other divisions of the same "
    "rows, which had no part in choosing them: who wins there, or are they tied?"
)


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


def _is_there(tuning: Tuning, table: TrialTable) -> bool:
    return not why_no_fresh_folds(tuning.problem.spec) and table.best() is not None


def _step(tuning: Tuning, table: TrialTable) -> None:
    """What the last round found, or the form of the first."""
    guarded_fragment(_found, what="The finalists round", key="finals-step")(tuning, table)


def _found(tuning: Tuning, table: TrialTable) -> None:
    now = last_finals(tuning)
    with st.container(key="finals", gap="small"):
        if now is None:
            _form(tuning, table)
        elif now.found is None:
            st.caption("Its scores stand here once it is over.")
        else:
            _result(tuning, now.found, "The last round" if now.is_active else "Finalists round")
            if not now.is_active:
                _foot(tuning, now, now.found)


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
    suited, n_folds = suited_draws(problem.spec), folds_of_draw(problem.spec)
    with st.container(key="finals-form", horizontal=True, gap="small"):
        beside, each = "the default comes beside", f"each gives {n_folds} scores"
        top = st.number_input("Best configurations", 1, _MOST_TOP, _TOP, key="finals-top", width=180, help=beside)
        draws = st.number_input("Draws of fresh folds", 1, MOST_DRAWS, suited, key="finals-draws", width=180, help=each)
    chosen = choose_finalists(problem, table, int(top))
    n_scores = int(draws) * n_folds
    seconds = expected_seconds(table, chosen, n_scores, _workers())
    takes = "" if seconds is None else f", about {format_seconds(max(seconds, 1.0))}"
    st.caption(
        f"{format_count(len(chosen), 'configuration')} on {n_scores} fresh folds: {len(chosen) * n_scores:,} "
        f"fits{takes}. The locked rows stay locked."
    )
    st.button(
        "Start", key="finals-start", type="primary", on_click=finals_action, args=(_start, tuning, int(top), int(draws))
    )


def _start(tuning: Tuning, top: int, draws: int) -> None:
    lab, study = the_lab(), tuning.study
    if study is None or ((now := finals_of(study)) is not None and now.is_active):
        return  # the second of two clicks
    table = lab.table_of(study)
    chosen = choose_finalists(tuning.problem, table, top)
    asked = ask_for_finals(study, chosen, draws, workers=_workers(), n_trials=int(table.is_complete.sum()))
    start_finals(lab.storage, study, asked, lab.folder)


# What it found


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
                "More folds",
                key="finals-more",
                on_click=finals_action,
                args=(_more, tuning, found),
                help=_more_help(found),
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


FINALS = Step("finals", "Finalists", "Who wins on fresh folds?", _HELP, _is_there, _step)
