"""The arms of a duel over their budget, and how sure the lead was."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from hpo_core.analysis.duel import Curve, Side, chance_ahead, curve, spent
from hpo_core.plots import BUDGETS, LIVE, chance_figure, duel_alt, duel_figure, duel_numbers, figure_json
from hpo_core.problem import LandscapeProblem, Problem
from hpo_core.search.duel import Duel
from pages._shared.chart_card import numbers
from pages._shared.live_plot import live_plot


def duel_curves(duel: Duel, sides: Sequence[Side], leader: str) -> None:
    """The best so far of each arm, and the chance that the leader was ahead."""
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
        curves = [(arm.key, arm.label, curve(side, kind, end)) for arm, side in there]
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


def _optimum(problem: Problem, curves: Sequence[tuple[str, str, Curve]]) -> float:
    if isinstance(problem, LandscapeProblem):
        return float(problem.landscape.minimum)
    values = np.concatenate([one.values[:, -1] for _, _, one in curves])
    finite = values[np.isfinite(values)]
    return float(finite.max() if problem.direction == "maximize" else finite.min())
