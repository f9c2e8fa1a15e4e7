"""A duel on the screen: its state and what steers it, the verdict with its evidence, the arms over the budget."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import numpy as np
import streamlit as st

from hpo_core.analysis.duel import Curve, Outcome, Side, chance_ahead, curve, spent
from hpo_core.formats import format_count, format_score, format_seconds, format_signed
from hpo_core.plots import BUDGETS, LIVE, chance_figure, duel_alt, duel_figure, duel_numbers, figure_json
from hpo_core.problem import LandscapeProblem, ModelProblem, Problem
from hpo_core.search.duel import DEFAULT, MANUAL, Duel, DuelArm, Member, open_duel
from hpo_core.search.dueling import (
    ask_all,
    counted,
    has_finals,
    has_looked,
    is_held,
    is_ready_for_finals,
    is_searched,
    start_lanes,
    why_no_finals,
)
from hpo_core.search.judging import sides_of, verdict_on
from hpo_core.search.locked import Look, locked_rows, looks_at, why_locked
from hpo_core.search.recovery import recover
from hpo_core.studies.run import Run
from pages._shared.chart_card import numbers
from pages._shared.fault import guarded_fragment
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab
from pages._shared.live_plot import live_plot

_RUNNING_SECONDS, _IDLE_SECONDS = 1.5, 5.0
_LANES = 2
_TINY = 1e-12
_MARKS = {"better": "▲", "worse": "▼", "equivalent": "=", "cannot tell": "?"}


def duel_view(duel: Duel) -> None:
    """The whole page of one duel; it renews itself, often while something runs."""
    amount = f"{duel.plan.budget.amount:g} {duel.plan.budget.kind}"
    st.html(
        f'<div class="lab-problem"><h1>{escape(duel.plan.name)}</h1><p>{escape(shown_name(duel.problem.title))} · '
        f'{amount} for each search · <a class="lab-link" href="/duel" target="_self">all duels</a></p></div>'
    )
    is_active = _is_active(duel)
    every = _RUNNING_SECONDS if is_active else _IDLE_SECONDS
    guarded_fragment(_body, what="The duel", key="duel-body", every=every)(duel.plan.key, is_active)


def _body(key: str, was_active: bool) -> None:
    duel = open_duel(the_lab().storage, key)
    for member in duel.searches:
        recover(member.study)
    sides = sides_of(duel, the_lab().table_of)
    _state(duel)
    if _is_hidden(duel):
        st.info("The machine's progress is hidden until you are done.")
    else:
        shown = [side for side in sides if any(table.best() is not None for table in side.tables)]
        if shown:
            found = verdict_on(duel, shown)
            _verdict(duel, shown, found)
            if _is_over(duel):
                _locked(duel, sides)
            _charts(duel, sides, shown[found.order[0]].label if found.order else "")
    if _is_active(duel) != was_active:
        st.rerun()


def _run(member: Member) -> Run | None:
    return member.study.runs.current()


def _is_active(duel: Duel) -> bool:
    if any((run := _run(member)) is not None and run.is_active for member in duel.searches):
        return True
    return is_held(duel) or (bool(duel.control.get("opens_lock")) and not has_looked(duel))


def _is_over(duel: Duel) -> bool:
    return has_finals(duel) or (all(map(is_searched, duel.searches)) and bool(why_no_finals(duel)))


def _is_hidden(duel: Duel) -> bool:
    return duel.plan.is_blind and not duel.control.get("is_hand_done")


# State and steering


def _state(duel: Duel) -> None:
    n_done, n = sum(map(is_searched, duel.searches)), len(duel.searches)
    runs = [run for member in duel.searches if (run := _run(member)) is not None and run.is_active]
    finals = sum(member.final() is not None for member in duel.members)
    share = (n_done + sum(_share(run) for run in runs)) / n if n else 1.0
    with st.container(key="card-duel-state", gap="small"):
        words = f"{n_done} of {n} searches done"
        if n_done == n and not why_no_finals(duel):
            words += f" · {finals} of {len(duel.members)} scored on fresh folds"
        st.html(
            f'<div class="lab-progress"><div class="lab-row"><b>{words}</b>{_badge(duel, runs)}</div>'
            '<div class="lab-bar" role="progressbar" aria-label="searches done" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}"><span style="width:{100 * share:.1f}%"></span></div></div>'
        )
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            _buttons(duel, runs, is_all=n_done == n)
            _by_hand(duel)
        if fault := duel.control.get("fault"):
            st.error(escape(fault))


def _share(run: Run) -> float:
    return min(1.0, float(getattr(run.spent, run.budget.kind)) / run.budget.amount)


def _badge(duel: Duel, runs: Sequence[Run]) -> str:
    if runs:
        state = "paused" if all(run.wanted == "paused" for run in runs) else "running"
    elif _is_over(duel):
        state = "finished"
    elif duel.control.get("is_stopped"):
        state = "stopped"
    else:
        state = "waiting"
    return f'<span class="lab-badge lab-state-{state}">{state}</span>'


def _buttons(duel: Duel, runs: Sequence[Run], *, is_all: bool) -> None:
    if runs and all(run.wanted == "paused" for run in runs):
        st.button("Resume", key="duel-resume", type="primary", on_click=ask_all, args=(duel, "running"))
        st.button("Stop", key="duel-stop", on_click=ask_all, args=(duel, "stopped"))
    elif runs:
        st.button("Pause", key="duel-pause", on_click=ask_all, args=(duel, "paused"))
        st.button("Stop", key="duel-stop", on_click=ask_all, args=(duel, "stopped"))
    elif not is_all:
        st.button("Go on", key="duel-go-on", type="primary", on_click=_go_on, args=(duel,))
    elif is_ready_for_finals(duel):
        st.button("Score on fresh folds", key="duel-finals", type="primary", on_click=_go_on, args=(duel,))


def _go_on(duel: Duel) -> None:
    """As many lanes as there are searches left to do, one for what comes after."""
    lab, n_left = the_lab(), sum(not is_searched(member) for member in duel.searches)
    start_lanes(lab.storage, duel, lab.folder, min(_LANES, max(1, n_left)))


def _by_hand(duel: Duel) -> None:
    """Where the person plays, how far they are, and the end of it."""
    if (member := duel.by_hand) is None:
        return
    table = counted(duel, member, the_lab().table_of)
    done = spent(table, duel.plan.budget.kind)
    used = float(np.nanmax(done)) if np.isfinite(done).any() else 0.0
    minutes = format_seconds(float(np.nanmax(table.completed) - np.nanmin(table.started))) if len(table) else "no time"
    if duel.control.get("is_hand_done"):
        st.caption(f"You took {used:g} {duel.plan.budget.kind} and {minutes}.", width="content")
        return
    href = f"/?study={quote(member.study.name)}"
    st.html(f'<a class="lab-button" href="{href}" target="_self">Play by hand</a>', width="content")
    st.caption(f"{used:g} of {duel.plan.budget.amount:g} {duel.plan.budget.kind} used", width="content")
    st.button("I am done", key="duel-hand-done", on_click=_hand_is_done, args=(duel,), disabled=table.best() is None)


def _hand_is_done(duel: Duel) -> None:
    duel.ask(is_hand_done=True)
    if is_ready_for_finals(duel):
        _go_on(duel)


# The verdict


def _verdict(duel: Duel, sides: Sequence[Side], found: Outcome) -> None:
    with st.container(key="card-duel-verdict", gap="small"):
        st.subheader("Who won, and does it matter?", anchor=False)
        first, *others = found.sentences
        if not _is_over(duel):
            first = f"So far: {first[:1].lower() if first.startswith('A tie') else first[:1]}{first[1:]}"
        more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others[:1])
        st.html(f'<div class="lab-outcome" aria-live="polite"><p><b>{escape(first)}</b></p>{more}</div>')
        st.html(_table(duel, sides, found))
        with st.expander("The evidence"):
            st.html("".join(f"<p>{escape(sentence)}</p>" for sentence in others[1:]) + _evidence(sides, found))
            st.caption(_method(found, duel))


def _table(duel: Duel, sides: Sequence[Side], found: Outcome) -> str:
    heads = (
        "Arm",
        "Fresh folds" if found.is_final else "Without luck",
        "Best found",
        "Fits",
        "Seconds",
        "The leader is",
    )
    against = {pair.second: pair for pair in found.pairs}
    rows = []
    for place in [*found.order, *(i for i in range(len(sides)) if i not in found.order)]:
        side, pair = sides[place], against.get(place)
        best = [float(t.values[row]) for t in side.tables if (row := t.best()) is not None]
        fits = sum(float(np.nanmax(spent(t, "fits"), initial=0.0)) for t in side.tables)
        seconds = sum(float(np.nanmax(spent(t, "seconds"), initial=0.0)) for t in side.tables)
        verdict = "the leader" if found.order and place == found.order[0] else ""
        if pair is not None:
            one = pair.judgement
            verdict = f"{format_signed(one.mean)} {_MARKS[one.verdict]} {one.verdict}"
        spread = f" ± {float(np.std(best, ddof=1)):.2g}" if len(best) > 1 and np.ptp(best) > _TINY else ""
        cells = (
            f"<b>{format_score(found.means[place])}</b>",
            f"{format_score(float(np.mean(best)))}{spread}" if best else "–",
            f"{fits:,.0f}",
            format_seconds(seconds),
            verdict,
        )
        rows.append((escape(side.label), *cells))
    return html_table("Arms", heads, rows)


def _evidence(sides: Sequence[Side], found: Outcome) -> str:
    heads = ("Leader against", "Difference", "95 % interval", "p", "Worse", "Equivalent", "Better")
    rows = []
    for pair in found.pairs:
        one = pair.judgement
        cells = [format_signed(one.mean), f"± {one.half_width:.2g}", f"{one.p_value:.2g}"]
        cells += [f"{chance:.0%}" for chance in one.chances]
        rows.append((escape(sides[pair.second].label), *cells))
    return html_table("Evidence", heads, rows)


def _method(found: Outcome, duel: Duel) -> str:
    basis = (
        f"Each search's choice was scored on {duel.plan.finals} fresh draws of the folds, which had no part in it."
        if found.is_final
        else why_no_finals(duel)
        or ("Not every choice could be fitted on fresh folds." if has_finals(duel) else "Fresh folds come at the end.")
    )
    return (
        f"{basis} Paired on the same folds, means over seeds; corrected resampled t-test (Nadeau and Bengio 2003) with "
        "Holm's correction, and a Bayesian correlated t-test (Benavoli 2017) in which a difference up to "
        f"{format_score(found.rope)} counts as none."
    )


# The locked rows


def _locked(duel: Duel, sides: Sequence[Side]) -> None:
    """How often they were looked at, the way to open them once, and what came of it."""
    problem, storage = duel.problem, the_lab().storage
    if not isinstance(problem, ModelProblem) or not locked_rows(problem):
        return
    n_rows, looks = len(problem.split.test), looks_at(storage, problem)
    with st.container(key="card-duel-locked", gap="small"):
        st.subheader("Does it hold on rows that nobody has seen?", anchor=False)
        st.caption(_looks_in_words(looks, n_rows))
        if has_looked(duel):
            st.html(_locked_table(duel, sides))
            return
        if why := why_locked(storage, problem):
            st.caption(why)
        elif duel.control.get("opens_lock"):
            n_done = sum(member.look() is not None for member in duel.members)
            st.caption(f"Scoring what was chosen: {n_done} of {len(duel.members)}.")
            if not is_held(duel):  # not yet, or its process died
                st.button("Go on", key="duel-look-on", on_click=_go_on, args=(duel,))
        else:
            with st.popover("Open the lock"):
                st.markdown(
                    f"Each search's choice is trained on all other rows and scored once on the {n_rows:,} locked ones. "
                    "Do this last: the looks are counted, and a choice that is changed afterwards has seen the answer."
                )
                st.button("Open it", key="duel-open-lock", type="primary", on_click=_open_lock, args=(duel,))


def _open_lock(duel: Duel) -> None:
    duel.ask(opens_lock=True)
    _go_on(duel)


def _looks_in_words(looks: Sequence[Look], n_rows: int) -> str:
    if not looks:
        return f"Nobody has looked at the {n_rows:,} locked rows yet."
    last = time.strftime("%Y-%m-%d %H:%M", time.localtime(looks[-1].time))
    return (
        f"{format_count(len(looks), 'look')} at the {n_rows:,} locked rows so far, the last on {last}. Each one that a "
        "choice depends on makes them worth less."
    )


def _locked_table(duel: Duel, sides: Sequence[Side]) -> str:
    rows = []
    for place, side in enumerate(sides):
        looks = [found["score"] for member in duel.of_arm(place) if (found := member.look()) is not None]
        scores = [score for score in looks if score is not None]
        finals = [float(np.mean(final)) for final in side.finals if final]
        rows.append((side.label, _mean(finals), _mean(scores)))
    sign = -1.0 if duel.problem.direction == "maximize" else 1.0
    rows.sort(key=lambda row: sign * row[2] if math.isfinite(row[2]) else math.inf)
    cells = [(escape(label), format_score(final), f"<b>{format_score(score)}</b>") for label, final, score in rows]
    return html_table("Locked rows", ("Arm", "Fresh folds", "Locked rows"), cells)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan


# The charts


def _charts(duel: Duel, sides: Sequence[Side], leader: str) -> None:
    arms = duel.plan.arms
    with st.container(key="card-duel-curves", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Who got better faster?", anchor=False, width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                kind = st.segmented_control(
                    "Budget",
                    list(BUDGETS),
                    default=duel.plan.budget.kind,
                    required=True,
                    format_func=lambda k: f"by {k}",
                    key="duel-x",
                    label_visibility="collapsed",
                )
                is_regret = st.toggle("Regret", key="duel-regret", help="how far from the best that is known")
                menu = st.popover("More", key="duel-menu", on_change="rerun", help="Numbers, download")
        ends = [np.nanmax(s, initial=0.0) for side in sides for t in side.tables if len(s := spent(t, kind))]
        end = float(max(ends, default=0.0))
        if end <= 0:
            st.caption("The first line appears with the first finished trial.")
            return
        there = [(arm, side) for arm, side in zip(arms, sides, strict=True) if side.tables]  # studies may be deleted
        curves = [(_key(arm), arm.label, curve(side, kind, end)) for arm, side in there]
        curves = [one for one in curves if np.isfinite(one[2].mean).any()]
        direction = duel.problem.direction
        optimum = _optimum(duel.problem, curves) if is_regret else None
        look = LIVE.naming(duel.problem.metric_label)
        live_plot(
            figure_json(duel_figure(curves, kind, direction, optimum, look)),
            key="duel-plot",
            height=380,
            alt=duel_alt(curves, direction),
            filename=duel.plan.name,
        )
        st.caption(
            "Each line is the mean over an arm's seeds, its band the 95 % interval of that mean. Look where lines "
            "stand above the same x: at the same budget."
        )
        if menu.open:
            with menu:
                numbers(duel_numbers(curves, kind), duel.plan.name, "duel-plot")
        if len(curves) > 1:
            _chances(curves, kind, direction, leader)


def _chances(curves: Sequence[tuple[str, str, Curve]], kind: str, direction: str, leader: str) -> None:
    """Of the arm that leads by the verdict, which may not be the one with the best of its own folds."""
    sign = -1.0 if direction == "maximize" else 1.0
    own = next((one for _, name, one in curves if name == leader), None)
    if own is None:
        return
    rivals = [(key, name, chance_ahead(own, one, sign)) for key, name, one in curves if name != leader]
    st.subheader("How sure was the lead at each budget?", anchor=False)
    live_plot(
        figure_json(chance_figure(rivals, own.x, kind, leader, [key for key, _, _ in curves])),
        key="duel-chances",
        height=260,
        alt=f"Chance that {leader} is ahead of each other arm, at each budget.",
        filename="chances",
    )
    st.caption(
        "Of all pairs of a search of the leader and one of another arm, the share in which the leader's is ahead by "
        "the search's own folds; ties count half. Below one half, the lead was seen on fresh folds only."
    )


def _key(arm: DuelArm) -> str:
    return arm.method if arm.method in (MANUAL, DEFAULT) or arm.times == 1 else arm.label


def _optimum(problem: Problem, curves: Sequence[tuple[str, str, Curve]]) -> float:
    if isinstance(problem, LandscapeProblem):
        return float(problem.landscape.minimum)
    values = np.concatenate([one.values[:, -1] for _, _, one in curves])
    finite = values[np.isfinite(values)]
    return float(finite.max() if problem.direction == "maximize" else finite.min())
