"""A suite on the screen: how far it is and what steers it, the ranks of the arms, and each problem in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from urllib.parse import quote

import numpy as np
import streamlit as st

from hpo_core.analysis.suite import ADVISED, Standing
from hpo_core.export import duel_report
from hpo_core.formats import format_count, format_score
from hpo_core.plots import figure_json, rank_alt, rank_figure, rank_height, rank_numbers
from hpo_core.search.duel import Duel
from hpo_core.search.dueling import ask_all, is_over, is_starting, start_lanes
from hpo_core.search.recovery import recover
from hpo_core.search.suite import Bout, Suite, bouts_of, open_suite, standing_of, unbegun
from hpo_core.studies.run import ACTIVE_STATES, Run
from pages._shared.chart_card import numbers
from pages._shared.duel_state import LANES, is_duel_active, share_of
from pages._shared.duel_verdict import MARKS
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab
from pages._shared.live_plot import live_plot

_RUNNING_SECONDS, _IDLE_SECONDS = 2.0, 6.0
_MOST_JUDGED = 80


def suite_view(suite: Suite) -> None:
    """The whole page of one suite; it renews itself, often while something runs."""
    plan = suite.duels[0].plan
    st.html(
        f'<div class="lab-problem"><h1>{escape(suite.name)}</h1><p>{format_count(len(suite.duels), "problem")} · '
        f"{escape(', '.join(arm.label for arm in plan.arms))} · {plan.budget.amount:g} {plan.budget.kind} for each "
        'search · <a class="lab-link" href="/duel?many=1" target="_self">all suites and duels</a></p></div>'
    )
    is_active = any(one.is_active for one in _all_seen(suite))
    every = _RUNNING_SECONDS if is_active else _IDLE_SECONDS
    guarded_fragment(_body, what="The suite", key="suite-body", every=every)(suite.key, is_active)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One duel of the suite as this look finds it.

    Attributes:
        n_done: Searches that have come to their end.
        runs: Those that are on.
        is_active: Whether anything of it runs.
    """

    bout: Bout
    is_over: bool
    n_done: int
    runs: tuple[Run, ...] = ()
    is_active: bool = False


def _body(key: str, was_active: bool) -> None:
    suite = open_suite(the_lab().storage, key)
    seen = _all_seen(suite)
    standing = standing_of([(one.bout, one.is_over) for one in seen])
    _state(suite, seen, standing)
    _ranks(suite, standing)
    _problems(seen, standing)
    if any(one.is_active for one in seen) != was_active:
        st.rerun()


def _all_seen(suite: Suite) -> list[_Seen]:
    """Runs as the list of studies has them: one look at the storage for all."""
    runs = {summary.name: summary.run for summary in the_lab().summaries()}
    return [_seen(duel, runs) for duel in suite.duels]


def _seen(duel: Duel, known: Mapping[str, Run | None]) -> _Seen:
    """What is over does not change: it is judged once for all visitors, and not asked after again."""
    over, mark = _judged(), f"{duel.plan} {len(duel.members)}"
    if mark in over:
        return _Seen(over[mark], True, len(duel.searches))
    runs = {member.study: known.get(member.study.name) for member in duel.searches}
    begun = [run for run in runs.values() if run is not None]
    if not begun:
        return _Seen(unbegun(duel), False, 0, (), is_starting(duel))
    for study, run in runs.items():
        if run is not None and run.state in ACTIVE_STATES and not run.is_active:
            recover(study)
    n_done = sum(run.state == "finished" for run in begun)
    is_searched = n_done == len(runs)
    bout, is_done = bouts_of([duel], the_lab().table_of)[0], is_searched and is_over(duel)
    if is_done:
        over[mark] = bout
        while len(over) > _MOST_JUDGED:
            over.pop(next(iter(over)))
    active = tuple(run for run in begun if run.is_active)
    return _Seen(bout, is_done, n_done, active, bool(active) or (is_searched and not is_done and is_duel_active(duel)))


@st.cache_resource(show_spinner=False)
def _judged() -> dict[str, Bout]:
    """Duels that are over, by their plan, oldest first."""
    return {}


def _state(suite: Suite, seen: Sequence[_Seen], standing: Standing) -> None:
    n_done, n = sum(one.n_done for one in seen), suite.n_searches
    runs = [run for one in seen for run in one.runs]
    share = (n_done + sum(map(share_of, runs))) / max(1, n)
    is_done = standing.n_over == len(suite.duels)
    state = _state_word(seen, runs, is_done=is_done)
    with st.container(key="card-suite-state", gap="small"):
        words = f"{n_done} of {n} searches done · {standing.n_over} of {len(suite.duels)} problems over"
        st.html(
            f'<div class="lab-progress"><div class="lab-row"><b>{words}</b>'
            f'<span class="lab-badge lab-state-{state}">{state}</span></div>'
            '<div class="lab-bar" role="progressbar" aria-label="searches done" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}"><span style="width:{100 * share:.1f}%"></span></div></div>'
        )
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            if state == "paused":
                st.button("Resume", key="suite-resume", type="primary", on_click=_ask, args=(suite, "running"))
            elif runs:
                st.button("Pause", key="suite-pause", on_click=_ask, args=(suite, "paused"))
            if runs:
                st.button("Stop", key="suite-stop", on_click=_ask, args=(suite, "stopped"))
            elif not is_done and state not in ("running", "starting"):
                st.button("Go on", key="suite-go-on", type="primary", on_click=_go_on, args=(suite, n - n_done))
            st.download_button(
                "Report",
                partial(_report, [one.bout for one in seen], standing, suite.name),
                f"{suite.name}.html",
                "text/html",
                key="suite-report",
                on_click="ignore",
                help="This page as one file of HTML",
            )
        for one in seen:
            if not one.is_over and (fault := one.bout.duel.control.get("fault")):
                st.error(f"{plain(one.bout.duel.plan.name)}: {plain(fault)}")


def _state_word(seen: Sequence[_Seen], runs: Sequence[Run], *, is_done: bool) -> str:
    if runs:
        return "paused" if all(run.wanted == "paused" for run in runs) else "running"
    if is_done:
        return "finished"
    open_ = [one.bout.duel for one in seen if not one.is_over]
    if any(duel.control.get("is_stopped") for duel in open_):
        return "stopped"
    if any(map(is_starting, open_)):
        return "starting"
    return "running" if any(one.is_active for one in seen) else "waiting"


def _report(bouts: Sequence[Bout], standing: Standing, name: str) -> bytes:
    return duel_report(bouts, standing, name).encode()


def _ask(suite: Suite, wanted: str) -> None:
    ask_all(suite.duels, wanted)


def _go_on(suite: Suite, n_left: int) -> None:
    """As many lanes as there are searches left to do, one for what comes after."""
    lab = the_lab()
    start_lanes(lab.storage, suite.duels, lab.folder, min(LANES, max(1, n_left)))


def _ranks(suite: Suite, standing: Standing) -> None:
    with st.container(key="card-suite-ranks", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Which arm is best over many problems?", anchor=False, width="content")
            menu = st.popover("More", key="suite-menu", on_change="rerun", help="Numbers, download")
        first, *others = standing.sentences
        more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others)
        st.html(f'<div class="lab-outcome" aria-live="polite"><p><b>{escape(first)}</b></p>{more}</div>')
        if standing.ranking is None:
            return
        keys = [arm.key for arm in suite.arms]
        live_plot(
            figure_json(rank_figure(standing, keys)),
            key="suite-ranks",
            height=rank_height(standing),
            alt=rank_alt(standing),
            filename=f"{suite.name} ranks",
        )
        st.caption(
            f"Further left is better: an arm that is best on every problem has rank 1. A thick bar joins arms that "
            f"cannot be told apart at 5 % (Friedman, then Nemenyi; Demšar 2006).  \nShowing {standing.n_counted} of "
            f"{format_count(len(standing.contests), 'problem')}, those on which all arms have come to their end"
            f"{'' if standing.n_counted >= ADVISED else f'; Demšar advises {ADVISED} or more'}."
        )
        if menu.open:
            with menu:
                numbers(rank_numbers(standing), f"{suite.name} ranks", "suite-ranks")
        with st.expander("The pairs, by signed ranks"):
            st.html(_pairs(standing))
            st.caption(
                "Wilcoxon's signed-rank test over the problems, exact, with Holm's correction for all pairs. "
                "Differences are counted in units of what does not matter on a problem, so that metrics compare. Lean: "
                "from −1, the second is always ahead, to +1, the first is."
            )


def _pairs(standing: Standing) -> str:
    rows = [
        (
            f"{escape(standing.labels[pair.first])} against {escape(standing.labels[pair.second])}",
            f"{pair.lean:+.2f}".replace("-", "−"),
            f"{pair.p_value:.2g}",
            f"{pair.adjusted:.2g}",
        )
        for pair in standing.pairs
    ]
    return html_table("Pairs of arms", ("Pair", "Lean", "p", "p, Holm"), rows)


def _problems(seen: Sequence[_Seen], standing: Standing) -> None:
    with st.container(key="card-suite-problems", gap="small"):
        st.subheader("And on each problem?", anchor=False)
        rows = [_row(one, standing, place) for place, one in enumerate(seen)]
        if standing.ranking is not None:
            ranks = (f"<b>{rank:.2f}</b>" for rank in standing.ranking.mean_ranks)
            rows.append(("Mean rank", "", *ranks))
        st.html(html_table("Problems and arms", ("Problem", "State", *standing.labels), rows))
        st.caption(
            "Mean score of what each search chose, on fresh folds where there are any, with the rank of the arm. "
            f"★ leads; against the leader {MARKS['worse']} is worse, {MARKS['equivalent']} equivalent, "
            f"{MARKS['cannot tell']} cannot be told. A problem opens its duel, with the evidence."
        )


def _row(one: _Seen, standing: Standing, place: int) -> tuple[str, ...]:
    duel = one.bout.duel
    contest = standing.contests[place]
    arrow = "↑" if contest.sign < 0 else "↓"
    name, figures = _parts(shown_name(contest.title))
    link = (
        f'<a class="lab-link" href="/duel?name={quote(duel.plan.name)}" target="_self">{escape(name)}</a>'
        f'<br><span class="lab-note">{escape(figures)} {arrow}</span>'
    )
    state = "over" if contest.is_over else f"{one.n_done} of {len(duel.searches)}"
    return (link, state, *(_cell(standing, place, arm) for arm in range(len(standing.labels))))


def _parts(title: str) -> tuple[str, str]:
    """What a problem is called, and how it is scored: the last part of its title."""
    name, _, figures = title.rpartition(" · ")
    return (name, figures) if name else (title, "")


def _cell(standing: Standing, place: int, arm: int) -> str:
    """Score, rank and how it stands against the leader; a score of a problem that is not over is pale."""
    contest = standing.contests[place]
    mean = contest.outcome.means[arm] if contest.outcome else float("nan")
    if not contest.is_over:
        return f'<span class="lab-note">{format_score(mean)}</span>'
    rank = standing.ranks[place, arm]
    behind = f' <span class="lab-note">rank {rank:g}</span>' if np.isfinite(rank) else ""
    verdict = standing.verdict_of(place, arm)
    mark = {"leads": "★", **MARKS}.get(verdict, "")
    shown = f'<span title="{verdict}" aria-label="{verdict}">{mark}</span>' if mark else ""
    return f"<b>{format_score(mean)}</b>{behind} {shown}"
