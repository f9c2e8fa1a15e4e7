"""The charts of a class: how the people lie beside the machine, and which way the first of them went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from hpo_core.plots import LIVE, MANUAL, Spread, figure_json, spread_alt, spread_figure, spread_numbers
from hpo_core.search.class_results import PersonSoFar, machine_so_far
from hpo_core.search.classroom import Classroom
from hpo_core.search.duel import Duel
from pages._shared.chart_card import numbers
from pages._shared.duel_paths import duel_paths
from pages._shared.lab import the_lab
from pages._shared.live_plot import live_plot

_MOST_WAYS = 5
_ROW_PIXELS, _FRAME_PIXELS = 62, 70


def class_spread(room: Classroom, people: Sequence[PersonSoFar]) -> None:
    """The best so far of each person as a dot, and of each of the machine's searches below."""
    spreads = _spreads(room, people)
    with st.container(key="card-class-spread", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("How do people and machine compare?", anchor=False, width="content")
            menu = st.popover("More", key="class-spread-menu", on_change="rerun", help="Numbers, download")
        if not spreads:
            st.caption("The first dot appears with the first finished trial.")
            return
        live_plot(
            figure_json(spread_figure(spreads, room.duel.direction, LIVE.naming(room.duel.problem.metric_label))),
            key="class-spread",
            height=_FRAME_PIXELS + _ROW_PIXELS * len(spreads),
            alt=spread_alt(spreads),
            filename=room.duel.plan.name,
        )
        n_searches = sum(len(one.values) for one in spreads if one.key != MANUAL)
        st.caption(
            f"One dot for the best so far of each of {len(people)} people and {n_searches} searches. Dots at different "
            "heights of a row only make room for each other. The best of many dots is flattered by luck."
        )
        if menu.open:
            with menu:
                numbers(spread_numbers(spreads), room.duel.plan.name, "class-spread-numbers")


def class_paths(room: Classroom, order: Sequence[int]) -> None:
    """The ways of the first few people and of the machine over the surface of all their trials.

    Args:
        room: The class.
        order: Arms of the people, the best first.
    """
    machine = [i for i, arm in enumerate(room.duel.plan.arms) if not arm.person]
    duel_paths(_part_of(room.duel, [*order[:_MOST_WAYS], *machine]), is_live=room.state == "running")


def _part_of(duel: Duel, arms: Sequence[int]) -> Duel:
    """The duel as if only these arms took part."""
    place = {arm: i for i, arm in enumerate(arms)}
    members = tuple(replace(m, arm=place[m.arm]) for m in duel.members if m.arm in place)
    return Duel(replace(duel.plan, arms=tuple(duel.plan.arms[arm] for arm in arms)), members)


def _spreads(room: Classroom, people: Sequence[PersonSoFar]) -> list[Spread]:
    known = [one for one in people if math.isfinite(one.best)]
    found = [Spread(MANUAL, "People", tuple(one.name for one in known), tuple(one.best for one in known))]
    for one in machine_so_far(room.duel, the_lab().table_of):
        label, best = one.arm.label, {seed: value for seed, value in one.best.items() if math.isfinite(value)}
        names = tuple(f"{label}, seed {seed}" for seed in best)
        found.append(Spread(one.arm.key, label, names, tuple(best.values())))
    return [spread for spread in found if spread.values]
