"""Optimisers of other packages as arms: asked and told by our samplers, so that all arms share fits, folds and budget.

A peer holds state, and a search may break off at any time. So each trial keeps how often the peer had been drawn from
when it was proposed, and what it had been told in between: a fresh sampler builds the peer anew and repeats these draws
and tellings in their order, then goes on as if nothing had happened.
"""

from __future__ import annotations

import importlib
import json
import math
import random
import warnings
import zlib
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, ClassVar, NamedTuple

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo_core.discovery import why_not_installed
from hpo_core.errors import ConfigurationError, UsageError
from hpo_core.methods import History, SearchExhausted, SearchMethod, SpaceSampler, record_thought, thought_of
from hpo_core.space import Configuration, SearchSpace

_MOST_DRAWS = 30  # for one trial, before the peer counts as having nothing new
_MOST_RANDOM_DRAWS = 500  # after that, before the search space counts as exhausted
_GREATEST = 1e100  # a value beyond it overflows when a peer squares it


class Drawn(NamedTuple):
    """A configuration that a peer proposes, and whatever the peer wants to be reminded of when its value is known."""

    configuration: Configuration
    handle: Any


class Peer(ABC):
    """An optimiser of another package. It minimises; a value of None says that the trial failed."""

    @abstractmethod
    def draw(self) -> Drawn | None:
        """The next proposal of the peer; None when it passes this time."""

    @abstractmethod
    def tell(self, drawn: Drawn, value: float | None) -> None:
        """The result of something that was drawn. A repetition is told the value that is known already."""

    @abstractmethod
    def tell_other(self, configuration: Configuration, value: float | None) -> None:
        """The result of a trial that the peer did not propose: of a person, or of another method."""


class PeerWithoutFailures(Peer):
    """A peer that knows no failure: it is told the worst value so far, as soon as there is one."""

    def __init__(self) -> None:
        self._worst: float | None = None
        self._failed: list[Drawn] = []

    def tell(self, drawn: Drawn, value: float | None) -> None:
        self._note(value)
        if value is None:
            self._failed.append(drawn)
        else:
            self.tell_value(drawn, value)
        if self._worst is not None:
            for failed in self._failed:
                self.tell_value(failed, self._worst)
            self._failed = []

    def tell_other(self, configuration: Configuration, value: float | None) -> None:
        self._note(value)
        if value is not None:
            self.tell_other_value(configuration, value)

    def _note(self, value: float | None) -> None:
        if value is not None and (self._worst is None or value > self._worst):
            self._worst = value

    @abstractmethod
    def tell_value(self, drawn: Drawn, value: float) -> None: ...

    @abstractmethod
    def tell_other_value(self, configuration: Configuration, value: float) -> None: ...


class PeerSearch(SearchMethod):
    """A search method of another package.

    Class attributes:
        package: What pip installs.
        modules: What is imported of it.
    """

    package: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]

    @abstractmethod
    def start(self, space: SearchSpace, seed: int) -> Peer:
        """The peer's optimiser, anew. The space has something to vary."""

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return PeerSampler(space, seed, lambda: self.start(space, seed), self._signature(space, seed))

    def why_unavailable(self, space: SearchSpace) -> str | None:
        if why := why_not_installed(*self.modules, package=self.package):
            return why
        if not space.varying:
            return f"{self.label} needs at least one parameter that is not fixed. Use grid, or widen the search space."
        return None

    def _signature(self, space: SearchSpace, seed: int) -> str:
        """What must be the same for a peer to be built anew from a trial's record."""
        return f"{self.key}-{_digest([asdict(self), seed, space.to_json()])}"


class PeerSampler(SpaceSampler):
    """Asks a peer, and tells it what has finished, in the order of the trials' numbers."""

    def __init__(self, space: SearchSpace, seed: int, start: Callable[[], Peer], signature: str) -> None:
        super().__init__(space, seed)
        self._start, self._signature = start, signature
        self._history = History(space)
        self._tape: _Tape | None = None
        self._next: Configuration = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Here, as a search that ends must do so before its trial is handed out."""
        # A trial from the queue needs no proposal: the peer is told of it as of a trial of others.
        self._next = {} if "fixed_params" in trial.system_attrs else self._proposed(study, trial)

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        return self._next

    def _proposed(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        if self._tape is None:
            self._tape = _Tape(self._start, self.space, self.seed)
            self._tape.replay(study, self._signature)
        told = self._tape.tell_news(study)
        configuration = self._unseen()
        record_thought(study, trial, peer=self._signature, draw=self._tape.n_draws, told=told)
        if configuration is None:
            configuration = self._unseen_at_random(trial)
            why = f"Nothing new came in {_MOST_DRAWS} draws from the package's own optimiser, so this one is at random."
            record_thought(study, trial, stage="random", why=why)
        return configuration

    def _unseen(self) -> Configuration | None:
        assert self._tape is not None
        for _ in range(_MOST_DRAWS):
            configuration = self._tape.draw()
            if configuration is not None and not self._has_seen(configuration):
                return configuration
        return None

    def _unseen_at_random(self, trial: FrozenTrial) -> Configuration:
        for point in self.rng(trial).random((_MOST_RANDOM_DRAWS, len(self.space))):
            configuration = self.space.from_unit(point)
            if not self._has_seen(configuration):
                return configuration
        raise SearchExhausted("Neither the method nor drawing at random found a configuration that was not tried.")

    def _has_seen(self, configuration: Configuration) -> bool:
        return self._history.has_seen(self.space.to_unit([configuration])[0])


class _Result(NamedTuple):
    key: str
    configuration: Configuration
    value: float | None


class _Tape:
    """A peer, and what it was asked and told so far.

    Configurations stand for trials, by a digest, as trials may be numbered otherwise when a study is opened again.

    Attributes:
        n_draws: How often the peer was drawn from.
    """

    def __init__(self, start: Callable[[], Peer], space: SearchSpace, seed: int) -> None:
        self.n_draws = 0
        self._space = space
        self._globals = _GlobalRandom(seed)
        self._values: dict[str, float | None] = {}
        self._open: defaultdict[str, list[Drawn]] = defaultdict(list)
        self._read: set[int] = set()
        self._n_settled = 0
        with self._globals.lent():
            self._peer = start()

    def replay(self, study: Study, signature: str) -> None:
        """Repeats what the trials of the same method, options, seed and space have recorded."""
        trials = study.get_trials(deepcopy=False)
        thoughts = sorted(
            (thought for thought in map(thought_of, trials) if thought.get("peer") == signature),
            key=lambda thought: int(thought["draw"]),
        )
        results: defaultdict[str, deque[int]] = defaultdict(deque)
        for trial in trials if thoughts else ():
            if result := self._result(trial, study):
                results[result.key].append(trial.number)
        for thought in thoughts:
            for key in thought["told"]:
                if results[key]:
                    self._tell(trials[results[key].popleft()], study)
            while self.n_draws < thought["draw"]:
                self.draw()

    def tell_news(self, study: Study) -> list[str]:
        """Tells what has finished since; the digests of what was told."""
        trials = study.get_trials(deepcopy=False)
        while self._n_settled < len(trials) and trials[self._n_settled].number in self._read:
            self._n_settled += 1
        keys = (
            self._tell(trial, study)
            for trial in trials[self._n_settled :]
            if trial.state.is_finished() and trial.number not in self._read
        )
        return [key for key in keys if key is not None]

    def draw(self) -> Configuration | None:
        """The peer's next proposal; what is known of it already is told at once."""
        self.n_draws += 1
        with self._globals.lent():
            drawn = self._peer.draw()
            if drawn is None:
                return None
            key = self._key(drawn.configuration)
            if key in self._values:
                self._peer.tell(drawn, self._values[key])
            else:
                self._open[key].append(drawn)
        return drawn.configuration

    def _tell(self, trial: FrozenTrial, study: Study) -> str | None:
        if not trial.state.is_finished():
            return None
        self._read.add(trial.number)
        result = self._result(trial, study)
        if result is None:
            return None
        key, configuration, value = result
        self._values[key] = value
        with self._globals.lent():
            if key in self._open:
                for drawn in self._open.pop(key):
                    self._peer.tell(drawn, value)
            else:
                self._peer.tell_other(configuration, value)
        return key

    def _result(self, trial: FrozenTrial, study: Study) -> _Result | None:
        """None for a trial of another space."""
        try:
            configuration = self._space.check(trial.params)
        except ConfigurationError:
            return None
        key = self._key(configuration)
        value = None if trial.state == TrialState.FAIL or trial.value is None else trial.value
        if value is not None and math.isfinite(value):
            sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
            return _Result(key, configuration, min(max(sign * value, -_GREATEST), _GREATEST))
        return _Result(key, configuration, None)

    def _key(self, configuration: Configuration) -> str:
        """The same for configurations that differ by a rounding error, which `History` takes as the same, too."""
        return _digest([round(float(at), 9) for at in np.nan_to_num(self._space.to_unit([configuration])[0], nan=-1.0)])


class _GlobalRandom:
    """The random generators of the process, lent to a peer that draws from them, and given back as they were."""

    def __init__(self, seed: int) -> None:
        self._python = random.Random(seed).getstate()
        self._numpy = np.random.RandomState(seed % 2**32).get_state()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Also without warnings: those of a peer are not for our user."""
        before = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                yield
        finally:
            self._python, self._numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


def imported(module: str) -> Any:
    """A module of another package, untyped; only methods that are used load theirs."""
    return importlib.import_module(module)


def _digest(value: Any) -> str:
    return f"{zlib.crc32(json.dumps(value, sort_keys=True).encode()):08x}"
