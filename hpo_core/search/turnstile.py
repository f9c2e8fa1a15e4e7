"""The turnstile of a person in a class: who has tries left passes, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hpo_core.analysis.duel import spent
from hpo_core.search.classroom import Seat, State
from hpo_core.search.manual import Nudge
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_CLOSED: Mapping[State, str] = {
    "waiting": "The class has not begun yet.",
    "paused": "The class is paused.",
    "over": "The class is over.",
}


class Turnstile:
    """Counts what one seat has tried and still has under way. To be used by one thread at a time.

    Args:
        seat: Whose it is.
        read: Reads a study.
    """

    def __init__(self, seat: Seat, read: Callable[[Study], TrialTable] = Study.read) -> None:
        self.seat, self._read = seat, read
        self._under_way: list[Nudge] = []

    @property
    def n_used(self) -> int:
        """Trials that were used up, those included that are scored but not recorded yet."""
        return self._counted({})[0]

    @property
    def n_left(self) -> int:
        return max(0, self.seat.n_tries - self.n_used)

    def why_not(self, configuration: Mapping[str, Any]) -> str:
        """The sentence why a configuration may not be tried now, or ""; to go back to a known one is free.

        A nudge that is not through yet must have been cancelled before, as it counts otherwise.
        """
        state = self.seat.state()
        if state != "running":
            return _CLOSED[state]
        n_used, is_known = self._counted(configuration)
        if n_used >= self.seat.n_tries and not is_known:
            return f"All {self.seat.n_tries} tries are used."
        return ""

    def let_through(self, nudge: Nudge) -> None:
        """Takes note of a nudge that has begun."""
        self._under_way = [*self._open(), nudge]

    def _counted(self, configuration: Mapping[str, Any]) -> tuple[int, bool]:
        """Trials that are used up, and whether this configuration is among them."""
        open_ = self._open()  # first: what is recorded meanwhile is in the table then
        table = self._read(self.seat.study)
        own = [nudge for nudge in open_ if not len(table.rows_of(nudge.configuration))]
        known = table.rows_of(configuration) if configuration else np.empty(0, dtype=int)
        is_known = bool(table.is_complete[known].any()) or any(n.configuration == configuration for n in own)
        return int(np.nanmax(spent(table, "trials"), initial=0.0)) + len(own), is_known

    def _open(self) -> list[Nudge]:
        return [nudge for nudge in self._under_way if not nudge.is_over]
