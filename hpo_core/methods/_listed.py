"""Samplers that walk along a list of configurations which is known from the start."""

from __future__ import annotations

from collections.abc import Iterator

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import History, SearchExhausted, SpaceSampler
from hpo_core.space import Configuration, SearchSpace


class ListedSampler(SpaceSampler):
    """Proposes the first configuration of a list that was not tried. The list may be endless, and repeat itself.

    A fresh sampler begins at the front again, and so arrives at the same place.
    """

    _MOST_REPEATS = 10_000  # in a row, before a list counts as having nothing new

    def __init__(self, space: SearchSpace, seed: int, listed: Iterator[Configuration], why_over: str) -> None:
        super().__init__(space, seed)
        self._history = History(space)
        self._listed, self._why_over = listed, why_over
        self._next = next(listed, None)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Ends the search when nothing is left, unless this trial comes from the queue with values of its own."""
        self._history.read(study, trial)
        self._walk()
        if self._next is None and "fixed_params" not in trial.system_attrs:
            raise SearchExhausted(self._why_over)

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        return self._next or {}

    def _walk(self) -> None:
        for _ in range(self._MOST_REPEATS):
            if self._next is None or not self._history.has_seen(self.space.to_unit([self._next])[0]):
                return
            self._next = next(self._listed, None)
        self._next = None
