"""Asynchronous successive halving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Capabilities, Strengths
from hpo_core.methods._rungs import Place, Rung, RungMethod, RungSampler, climbers, most_halvings
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class AsynchronousHalving(RungMethod):
    """One endless tournament in which nobody waits for a rung to be full."""

    key: ClassVar[str] = "asha"
    label: ClassVar[str] = "ASHA"
    purpose: ClassVar[str] = "Promotes a configuration as soon as it is among the best of those that came to its rung."
    when_to_use: ClassVar[str] = (
        "Many workers and models that take long to train: no worker ever waits, and whole fits come early. Some are "
        "promoted that full rungs would have dropped."
    )
    source: ClassVar[str] = (
        "Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar (2020), A System for Massively "
        "Parallel Hyperparameter Tuning"
    )
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths(fewest=40, is_partial=True)
    cost: ClassVar[str] = "Little thought; most fits are partial ones."

    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> RungSampler:
        n = most_halvings(self.eta, self.smallest)
        shares = tuple(float(self.eta) ** (i - n) for i in range(n + 1))
        return _AsynchronousSampler(space, seed, self.scheme(), noun, self.eta, shares)


class _AsynchronousSampler(RungSampler):
    def __init__(
        self, space: SearchSpace, seed: int, scheme: str, noun: str, eta: int, shares: tuple[float, ...]
    ) -> None:
        super().__init__(space, seed, scheme, noun)
        self._eta, self._shares = eta, shares

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """Its rungs as they are now: so many configurations are on each, or may come to it."""
        ended = [sum(e.value is not None for e in self._ladders.entries(0, i)) for i in range(len(self._shares))]
        sizes = [1 + max((e.slot for e in self._ladders.entries(0, 0)), default=-1), *(n // self._eta for n in ended)]
        return tuple(Rung(n, share) for n, share in zip(sizes, self._shares, strict=False))

    def next_place(self) -> Place:
        """The highest promotion that is due, else a new configuration."""
        rungs = self.bracket(0)
        if due := self._promotion(rungs):
            return due
        if self._all is not None and rungs[0].n >= len(self._all):
            # Nobody new is left, so that no rung would ever get fuller.
            every = [len(self._ladders.entries(0, i)) for i in range(len(rungs))]
            least = tuple(Rung(n, rung.resource) for n, rung in zip([every[0], *every], rungs, strict=False))
            if left := self._promotion(least):
                return left
        return Place(0, (Rung(rungs[0].n + 1, rungs[0].resource), *rungs[1:]), 0, rungs[0].n)

    def _promotion(self, rungs: tuple[Rung, ...]) -> Place | None:
        """The highest, when so many of the best below may stand on each rung."""
        for i in range(len(rungs) - 1, 0, -1):
            below = [e for e in self._ladders.entries(0, i - 1) if e.value is not None]
            if found := climbers(below, self._ladders.entries(0, i), rungs[i].n):
                sized = (*rungs[: i - 1], Rung(len(below), rungs[i - 1].resource), *rungs[i:])
                return Place(0, sized, i, found[0].slot, found[0])
        return None


ASHA = AsynchronousHalving()
