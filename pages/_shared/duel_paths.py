"""The card with the ways of the arms over the surface that all their trials make."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hpo_core.analysis.pooling import PooledTable, pooled
from hpo_core.errors import TuningError
from hpo_core.plots import ArmPaths, Walker
from hpo_core.search.duel import Duel
from hpo_core.search.hand import counted
from hpo_core.studies.table import TrialTable
from pages._shared.chart_card import chart_card
from pages._shared.fault import plain
from pages._shared.lab import the_lab


def duel_paths(duel: Duel, *, is_live: bool) -> None:
    """One way for each arm, of the seed that is chosen; arms with fewer seeds show their last."""
    members = duel.members
    tables = [counted(duel, member, the_lab().table_of) for member in members]
    most = max(arm.seeds for arm in duel.plan.arms)
    seed = 0
    if most > 1:
        choices = range(most)
        seed = int(
            st.segmented_control(
                "Seed of the ways drawn below", choices, default=0, required=True, key="duel-paths-seed"
            )
        )
    walkers = []
    for place, arm in enumerate(duel.plan.arms):
        own = [i for i, member in enumerate(members) if member.arm == place]
        if own:
            walkers.append(Walker(arm.key, arm.label, min(own, key=lambda i: abs(members[i].seed - seed))))
    arms = tuple(duel.plan.arms[member.arm].key for member in members)
    try:
        table = _pooled(duel.plan.name, "|".join(table.revision for table in tables), arms, tables)
    except TuningError as fault:  # a family may have gained parameters since some of the searches
        st.caption(plain(str(fault)))
        return
    chart_card(
        ArmPaths(walkers=tuple(walkers)),
        table,
        key="duel-paths",
        value_label=duel.problem.metric_label,
        is_live=is_live,
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _pooled(name: str, revisions: str, arms: tuple[str, ...], _tables: Sequence[TrialTable]) -> PooledTable:
    return pooled(name, _tables, arms)
