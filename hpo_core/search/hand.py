"""The person of a duel: what they have used of their budget, and which of their trials count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.duel import spent, time_played
from hpo_core.search.duel import DEFAULT, MANUAL, Duel, Member
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable


@dataclass(frozen=True, slots=True)
class HandUse:
    """What a person has used of their budget.

    Attributes:
        used, amount: In the kind of the budget.
        seconds: By the clock, from their first trial to their last, or to now while they play.
        is_done: Whether they have said so.
    """

    used: float
    amount: float
    seconds: float
    is_done: bool

    @property
    def left(self) -> float:
        return max(0.0, self.amount - self.used)


def hand_use(duel: Duel, now: float, read: Callable[[Study], TrialTable] = Study.read) -> HandUse | None:
    """What the person of a duel has used at a moment (epoch seconds); None where nobody plays by hand."""
    if (member := duel.by_hand) is None:
        return None
    own, budget = _own_trials(read(member.study)), duel.plan.budget
    is_done = bool(duel.control.get("is_hand_done"))
    played = float(np.nanmax(time_played(own), initial=0.0))
    if not is_done and len(own) and np.isfinite(own.started).any():
        played = max(played, now - float(np.nanmin(own.started)))
    used = played if budget.kind == "seconds" else float(np.nanmax(spent(own, budget.kind), initial=0.0))
    return HandUse(min(used, budget.amount) if is_done else used, budget.amount, played, is_done)


def counted(duel: Duel, member: Member, read: Callable[[Study], TrialTable] = Study.read) -> TrialTable:
    """The trials of a member that count: of a person their own, and those that the budget pays for.

    A person's seconds are those of the clock, from their first trial on.
    """
    table, budget = read(member.study), duel.plan.budget
    if duel.plan.arms[member.arm].method != MANUAL:
        return table
    own = _own_trials(table)
    used = time_played(own) if budget.kind == "seconds" else spent(own, budget.kind)
    return own.take(used <= budget.amount)


def _own_trials(table: TrialTable) -> TrialTable:
    """Those of a person: a search may have been started beside the sliders."""
    return table.take(np.isin(table.arms, [MANUAL, DEFAULT]))
