"""Brackets and rungs: what the methods share that give many configurations a little and the best of them more.

A bracket is a tournament: a number of configurations on its first rung, each trained with a small share of the full
resource, the best of them again on the next rung with a larger share, and so on. A trial is one configuration on one
rung; which one, its thought says: `scheme` (the method with the options that shape its brackets), `bracket` and `rung`
(from 0), `slot` (place on the first rung) and `resource`. All else is read from these and from the trials' values, so
that a search that was killed goes on as if nothing had been.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo_core.cube import Cube
from hpo_core.errors import ConfigurationError
from hpo_core.methods._base import History, SearchMethod, SpaceSampler, record_thought, thought_of
from hpo_core.options import option
from hpo_core.problem import Problem
from hpo_core.space import Configuration, SearchSpace

_DRAWS = 50  # for a configuration that has not been tried
_MOST_LISTED = 4096  # configurations of a space that is small enough to be listed
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Rung:
    """So many configurations with this share of the full resource."""

    n: int
    resource: float


Brackets = tuple[tuple[Rung, ...], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A trial on a rung. `value` is to be minimised; infinite where it failed, None while it runs."""

    key: str  # `key_of` its configuration
    configuration: Configuration
    slot: int
    value: float | None


def most_halvings(eta: int, smallest: float) -> int:
    """How often a whole fit can be divided by eta before its share falls below the smallest."""
    n = 0
    while float(eta) ** -(n + 1) >= smallest * (1 - _ROUNDING) and n < 64:
        n += 1
    return n


def halving_rungs(n: int, eta: int, smallest: float) -> tuple[Rung, ...]:
    """One tournament of n configurations that ends with whole fits, the survivors of each rung rounded up.

    The rule of scikit-learn's successive halving with `min_resources="exhaust"`.
    """
    n_halvings = 0
    while n_halvings < most_halvings(eta, smallest) and eta ** (n_halvings + 1) <= n:
        n_halvings += 1
    rungs = []
    for i in range(n_halvings + 1):
        rungs.append(Rung(n, float(eta) ** (i - n_halvings)))
        n = -(-n // eta)
    return tuple(rungs)


def hyperband_brackets(eta: int, smallest: float) -> Brackets:
    """The brackets of one round of Hyperband, the one with most configurations first, survivors rounded down.

    As in Table 1 of Li et al. (2018), which begins a bracket of s halvings with floor((s_max + 1) / (s + 1)) eta^s
    configurations; the formula in their Algorithm 1 rounds later and begins some brackets with more.
    """
    s_max = most_halvings(eta, smallest)
    brackets = []
    for s in range(s_max, -1, -1):
        n = (s_max + 1) // (s + 1) * eta**s
        brackets.append(tuple(Rung(n // eta**i, float(eta) ** (i - s)) for i in range(s + 1)))
    return tuple(brackets)


class Ladders:
    """All rungs of one scheme, read incrementally from a study."""

    def __init__(self, space: SearchSpace, scheme: str) -> None:
        self._space, self._scheme = space, scheme
        self._n_settled = 0
        self._settled: set[int] = set()
        # By bracket and rung, then by configuration: a trial that was begun again takes the place of the lost one.
        self._finished: dict[tuple[int, int], dict[str, Entry]] = {}
        self._running: dict[tuple[int, int], dict[str, Entry]] = {}

    def read(self, study: Study, asking: FrozenTrial) -> None:
        """Take in what is new, leaving out the trial that is being asked for."""
        sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        trials = study.get_trials(deepcopy=False)
        while self._n_settled < len(trials) and trials[self._n_settled].number in self._settled:
            self._n_settled += 1
        self._running = {}
        for trial in trials[self._n_settled :]:
            if trial.number not in self._settled and trial.number != asking.number:
                self._take(trial, sign)

    def entries(self, bracket: int, rung: int) -> list[Entry]:
        """The trials on one rung, one for each configuration, those in flight last."""
        place = (bracket, rung)
        return list((self._finished.get(place, {}) | self._running.get(place, {})).values())

    def _take(self, trial: FrozenTrial, sign: float) -> None:
        is_running = trial.state in (TrialState.RUNNING, TrialState.WAITING)
        if not is_running:
            self._settled.add(trial.number)
        thought = thought_of(trial)
        if thought.get("scheme") != self._scheme:
            return
        try:
            place = int(thought["bracket"]), int(thought["rung"])
            value = None if is_running else _value(trial, sign)
            configuration = self._space.check(trial.params)
            entry = Entry(key_of(configuration), configuration, int(thought["slot"]), value)
        except (ConfigurationError, KeyError, TypeError, ValueError):
            return
        (self._running if is_running else self._finished).setdefault(place, {})[entry.key] = entry


def key_of(configuration: Mapping[str, Any]) -> str:
    """A configuration as text, to look it up by."""
    return json.dumps(dict(configuration), sort_keys=True)


def ranked(entries: Iterable[Entry]) -> list[Entry]:
    """Those that have a value, best first; of equals the one that came to the first rung first."""
    scored = [e for e in entries if e.value is not None and math.isfinite(e.value)]
    return sorted(scored, key=lambda e: (e.value, e.slot))


def climbers(entries: list[Entry], above: list[Entry], n: int) -> list[Entry]:
    """The n best of a rung that are not on the one above yet, best first."""
    taken = {e.key for e in above}
    return [e for e in ranked(entries)[:n] if e.key not in taken]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial stands: on which rung of which bracket. `climber` is None for a new configuration."""

    bracket: int
    rungs: tuple[Rung, ...]
    rung: int
    slot: int
    climber: Entry | None = None

    @property
    def resource(self) -> float:
        return self.rungs[self.rung].resource

    @property
    def stage(self) -> str:
        return f"bracket {self.bracket + 1}, rung {self.rung + 1} of {len(self.rungs)}"

    def why(self, noun: str) -> str:
        """The reason for this trial, in a sentence."""
        here = share_text(self.resource, noun)
        if self.climber is None:
            return f"New configuration {self.slot + 1} of {self.rungs[0].n}, on {here}."
        n_best, below = self.rungs[self.rung].n, self.rungs[self.rung - 1]
        return f"Among the best {n_best} of {below.n} on {share_text(below.resource, noun)}: goes on to {here}."


class RungSampler(SpaceSampler):
    """Brackets one after the other; on each rung first the configurations, then the climbers to the next.

    While the next climbers are not known because trials are in flight, it begins with the bracket after.
    """

    def __init__(self, space: SearchSpace, seed: int, scheme: str, noun: str) -> None:
        super().__init__(space, seed)
        self._scheme, self._noun = scheme, noun
        self._ladders = Ladders(space, scheme)
        self._history = History(space)
        self._all = Cube(space).all_points(_MOST_LISTED)
        self._first_open = 0
        self._planned: dict[int, Place] = {}

    @abstractmethod
    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The rungs of a bracket, by its number from 0."""

    def newcomer(self, study: Study, trial: FrozenTrial, rng: np.random.Generator, attempt: int) -> Configuration:
        """A configuration for a first rung; at random where a method has no better idea."""
        return self.space.from_unit(rng.random(len(self.space)))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Gives the trial its place; one that was queued with values of its own gets none."""
        if "fixed_params" in trial.system_attrs:
            return
        self._ladders.read(study, trial)
        place = self._planned[trial.number] = self.next_place()
        record_thought(
            study,
            trial,
            stage=place.stage,
            why=place.why(self._noun),
            scheme=self._scheme,
            bracket=place.bracket,
            rung=place.rung,
            slot=place.slot,
            resource=place.resource,
        )

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        place = self._planned.pop(trial.number, None)
        if place is None:
            return self.space.from_unit(self.rng(trial).random(len(self.space)))
        return place.climber.configuration if place.climber else self._fresh(study, trial, place)

    def next_place(self) -> Place:
        """Where the next trial stands, after `Ladders.read`."""
        number = self._first_open
        while True:
            rungs = self._cut(self.bracket(number))
            entries = [self._ladders.entries(number, i) for i in range(len(rungs))]
            if place := place_in(number, rungs, entries):
                return place
            if number == self._first_open and all(e.value is not None for on_rung in entries for e in on_rung):
                self._first_open += 1
            number += 1

    def _cut(self, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        """No more configurations on the first rung than the space has."""
        if self._all is None or len(self._all) >= rungs[0].n:
            return rungs
        return (Rung(len(self._all), rungs[0].resource), *rungs[1:])

    def _fresh(self, study: Study, trial: FrozenTrial, place: Place) -> Configuration:
        """A newcomer that has not been tried before; where there is none, one that is not on this first rung."""
        self._history.read(study, trial)
        rng = np.random.default_rng([self.seed, place.bracket, place.slot])
        for attempt in range(_DRAWS):
            configuration = self.newcomer(study, trial, rng, attempt)
            if not self._history.has_seen(self.space.to_unit([configuration])[0]):
                return configuration
        here = {e.key for e in self._ladders.entries(place.bracket, 0)}
        left = (self.space.from_unit(point) for point in ([] if self._all is None else rng.permutation(self._all)))
        return next((listed for listed in left if key_of(listed) not in here), configuration)


class BracketSampler(RungSampler):
    """The same brackets over and over."""

    def __init__(self, space: SearchSpace, seed: int, scheme: str, noun: str, brackets: Brackets) -> None:
        super().__init__(space, seed, scheme, noun)
        self._brackets = brackets

    def bracket(self, number: int) -> tuple[Rung, ...]:
        return self._brackets[number % len(self._brackets)]


def place_in(number: int, rungs: tuple[Rung, ...], entries: list[list[Entry]]) -> Place | None:
    """The next trial of a bracket: a free slot of its first rung, or a climber of a rung on which all have ended."""
    taken = {e.slot for e in entries[0]}
    if len(taken) < rungs[0].n:
        return Place(number, rungs, 0, next(slot for slot in range(rungs[0].n) if slot not in taken))
    for i, rung in enumerate(rungs[1:], start=1):
        if any(e.value is None for e in entries[i - 1]):
            return None
        if found := climbers(entries[i - 1], entries[i], rung.n):
            return Place(number, rungs, i, found[0].slot, found[0])
    return None


def share_text(resource: float, noun: str) -> str:
    """A share of the resource as a person reads it.

    >>> share_text(1 / 9, "epochs"), share_text(1.0, "rows")
    ('1/9 of the epochs', 'all rows')
    """
    if resource == 1.0:
        return f"all {noun}"
    fraction = Fraction(resource).limit_denominator(1000)
    return f"{fraction} of the {noun}" if abs(float(fraction) - resource) < 1e-6 else f"{resource:.3g} of the {noun}"


def _value(trial: FrozenTrial, sign: float) -> float:
    if trial.state == TrialState.FAIL or trial.value is None or not math.isfinite(trial.value):
        return math.inf
    return sign * trial.value


@dataclass(frozen=True)
class RungMethod(SearchMethod):
    """The options that every method of this kind has. A method writes `rung_sampler`."""

    eta: int = option(
        3, "Halving factor", "Only the best 1/eta of a rung goes on, with eta times the resource.", low=2, high=16
    )
    smallest: float = option(
        0.037,
        "Smallest share",
        "Least share of the epochs, trees or rows to try a configuration with; less tries more of them, less surely.",
        low=0.001,
        high=1.0,
    )

    @abstractmethod
    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> BaseSampler:
        """A fresh sampler; `noun` is what a partial fit spends less of."""

    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        return self.rung_sampler(space, seed, "resource")

    def sampler_for(self, problem: Problem, seed: int) -> BaseSampler:
        return self.rung_sampler(problem.space, seed, problem.resource_noun)

    def scheme(self, *more: object) -> str:
        """What the thoughts of its trials are marked with: those of other options stand on other rungs."""
        return " ".join(map(str, (self.key, self.eta, f"{self.smallest:g}", *more)))
