"""The manual of search methods.

A method is a frozen dataclass: class variables say what it is and can do, fields declared with `option(...)` are its
options. It makes an Optuna sampler; the runner asks that sampler on an in-memory study, so a sampler may hold state,
reads trials at memory speed, and never writes to a database.

How a runner uses it::

    sampler = method.sampler(space, seed)
    study = optuna.create_study(sampler=sampler, direction=direction)
    study.add_trial(...)            # what is known already: earlier runs, the person's trials
    trial, configuration = propose(study, space)
    study.tell(trial, value)        # in the order of asking

A sampler knows the whole space from the start, so it may propose all parameters jointly, conditional ones included:
`infer_relative_search_space` may return every distribution of the space; values of inactive parameters are not read.
`SpaceSampler` does this: derive from it and write `proposal`. Draw from `rng(trial)`, not from a generator that lives
on: a search that was interrupted then goes on with new configurations, and the same seed and history give the same.

What a method thinks when it proposes a trial, it keeps with that trial by `record_thought`: a few JSON values, such as
its generation and parents, or its stage. Plots show it, and a search that goes on reads it back with `thought_of`, so
that a sampler needs no state beside its history. Known keys: `stage` (a word) and `why` (a sentence) are shown for any
method; `resource` (a share of the full one) makes the fits of the trial partial, and `past` says with which
configurations the model was trained before, see `Schedule`. A configuration at another resource is another trial.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo_core.errors import ConfigurationError, TuningError
from hpo_core.problem import Problem
from hpo_core.space import AnyParameter, Categorical, Configuration, Int, SearchSpace

Floats = NDArray[np.float64]
_THOUGHT = "thought"


class SearchExhausted(TuningError):  # noqa: N818 - the end of a search, not a fault
    """A finite method has proposed every configuration that it has. Raised by `propose`; the search is complete."""


class ResultsNeeded(TuningError):  # noqa: N818 - a moment of a search, not a fault
    """Nothing can be proposed before a trial in flight has ended. Raised by `propose`; ask again then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a method can handle.

    Attributes:
        kinds: Parameter kinds that it searches by its own rule (others it draws at random).
        is_conditional: Whether conditions between parameters are used, not only obeyed.
        is_finite: Whether it runs out of configurations.
        learns: Whether results steer what is asked next.
        is_multi_objective: Whether it can search for the best trade-offs between several objectives.
    """

    kinds: tuple[str, ...] = ("float", "int", "categorical")
    is_conditional: bool = False
    is_finite: bool = False
    learns: bool = True
    is_multi_objective: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Strengths:
    """Where a method is at its best: rules of thumb, by which the adviser recommends it.

    Attributes:
        fewest, most: Trials with which it is; None for no end.
        most_parameters: Beyond so many it is lost; None for no end.
        surface: How the scores may change over the space: "smooth" with one good region, "rough" or with several, or
            "any".
        has_model: Whether it models the whole space, which needs the fewest trials.
        is_partial: Whether most of its fits are partial ones, which pays where a whole fit is slow.
        waits: Whether workers may have to wait for each other.
        goes_on: Whether it makes the most of a place that is known to be good.
        is_peer: Whether it is there to compare with another package.
    """

    fewest: int = 1
    most: int | None = None
    most_parameters: int | None = None
    surface: Literal["smooth", "rough", "any"] = "any"
    has_model: bool = False
    is_partial: bool = False
    waits: bool = False
    goes_on: bool = False
    is_peer: bool = False


@dataclass(frozen=True)
class SearchMethod(ABC):
    """How an automated arm picks configurations. A file in this folder binds an instance with default options.

    Class attributes:
        key: Plain name on the command line, in URLs and as the arm's name.
        label: Name on screen.
        purpose: One line: how it picks.
        when_to_use: One or two sentences: where it is strong, and where it is not.
        source: Paper (author, year, title).
        capabilities: What it can handle.
        strengths: Where it is at its best.
        cost: What it costs beside the fits.
        pruning: Key of the rule between folds that belongs to it.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    when_to_use: ClassVar[str]
    source: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths()
    cost: ClassVar[str] = "A few milliseconds a trial at most."
    pruning: ClassVar[str] = "none"

    @property
    def n_finalists(self) -> int:
        """How many of the best are scored again on fresh folds at the end of a search, beyond its budget."""
        return 0

    @abstractmethod
    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        """A fresh sampler. The same space, seed and history give the same proposals."""

    def sampler_for(self, problem: Problem, seed: int) -> BaseSampler:
        """A fresh sampler for a method that looks into the problem itself, such as at its gradient."""
        return self.sampler(problem.space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        """One sentence why it cannot search this space, or None."""
        return None

    def why_not_installed(self) -> str | None:
        """ "not installed: pip install x" for a method whose package is missing, whatever the space; else None."""
        why = self.why_unavailable(SearchSpace(()))
        return why if why and why.startswith("not installed") else None

    def why_unsuitable(self, problem: Problem) -> str | None:
        """One sentence why it cannot search this problem and what to choose instead, or None."""
        return self.why_unavailable(problem.space)

    def n_configurations(self, space: SearchSpace) -> int | None:
        """How many configurations it will propose at most, each resource counted; None for endless methods."""
        return None


def record_thought(study: Study, trial: FrozenTrial, **thought: Any) -> None:
    """Keeps JSON values with a trial that is being proposed; further calls add to them."""
    # Samplers get frozen trials, and no public way to write to them (Optuna 5.0); its own samplers do the same.
    known = study._storage.get_trial(trial._trial_id).user_attrs.get(_THOUGHT, {})
    study._storage.set_trial_user_attr(trial._trial_id, _THOUGHT, {**known, **thought})


def thought_of(trial: FrozenTrial) -> Mapping[str, Any]:
    """What was recorded when the trial was proposed; empty for trials of others."""
    thought: Mapping[str, Any] = trial.user_attrs.get(_THOUGHT, {})
    return thought


def with_thought(thought: Mapping[str, Any]) -> dict[str, Any]:
    """The user attributes of a trial that is added to a study together with its thought."""
    return {_THOUGHT: dict(thought)} if thought else {}


def propose(study: Study, space: SearchSpace) -> tuple[optuna.Trial, Configuration]:
    """Ask the study's sampler, or its queue, for one trial, with a value for every active parameter.

    Raises:
        SearchExhausted: There is nothing left to propose. No running trial stays behind.
        ResultsNeeded: There is nothing to propose before a trial in flight has ended. None stays behind here either.
    """
    try:
        trial = study.ask()
    except (SearchExhausted, ResultsNeeded):
        study.tell(study.get_trials(deepcopy=False)[-1].number, state=TrialState.FAIL)
        raise
    configuration: Configuration = {}
    for p in space.parameters:
        if p.when is None or p.when.holds(configuration):
            configuration[p.name] = _suggested(trial, p)
    return trial, configuration


def _suggested(trial: optuna.Trial, p: AnyParameter) -> Any:
    if isinstance(p, Categorical):
        return trial.suggest_categorical(p.name, p.choices)
    if isinstance(p, Int):
        whole = p.distribution()
        return trial.suggest_int(p.name, whole.low, whole.high, step=whole.step, log=whole.log)
    real = p.distribution()
    value = trial.suggest_float(p.name, real.low, real.high, step=real.step, log=real.log)
    # Some of Optuna's samplers count steps in binary: 0.7000000000000001 where the space says 0.7.
    return p.snapped(value) if p.step else value


class SpaceSampler(BaseSampler, ABC):
    """A sampler that proposes whole configurations of a space that it knows from the start.

    Class attributes:
        is_multi_objective: Whether it may be asked on a study of several objectives.
    """

    is_multi_objective: ClassVar[bool] = False

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space = space
        self.seed = seed
        self._distributions = space.distributions()

    @abstractmethod
    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        """The configuration to try next; `trial` is running and still without parameters."""

    def rng(self, trial: FrozenTrial) -> np.random.Generator:
        """A generator for this trial alone."""
        return np.random.default_rng([self.seed, trial.number])

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._refuse_objectives(study)
        return self.proposal(study, trial)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """At random: for parameters that the space lacks, or that a half-fixed trial made active."""
        self._refuse_objectives(study)
        seed = np.random.SeedSequence([self.seed, trial.number, zlib.crc32(param_name.encode())])
        random = RandomSampler(seed=int(seed.generate_state(1)[0]))
        return random.sample_independent(study, trial, param_name, param_distribution)

    def _refuse_objectives(self, study: Study) -> None:
        if not self.is_multi_objective:
            self._raise_error_if_multi_objective(study)


class Observation(NamedTuple):
    """A finished trial: its number, its point of the unit cube, shape (d,), and its value, lower being better.

    The value is that of the first objective.
    """

    number: int
    point: Floats
    value: float


class History:
    """What a study knows about a space, read incrementally: a trial that has finished is converted once.

    Trials whose configuration does not belong to the space (of another program, or from before a range was narrowed)
    are left out.

    Attributes:
        observations: Trials with a finite value: complete ones, and pruned ones that hold an estimate.
        objectives: Of each observation the values of all objectives, lower being better, shape (m,).
        running: Points of the trials in flight.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.observations: list[Observation] = []
        self.objectives: list[Floats] = []
        self.running: list[Floats] = []
        self._space = space
        self._taken: set[int] = set()
        self._n_settled = 0
        self._seen: set[bytes] = set()

    def read(self, study: Study, asking: FrozenTrial) -> None:
        """Take in what is new, leaving out the trial that is being asked for."""
        signs = np.array([-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in study.directions])
        trials = study.get_trials(deepcopy=False)
        while self._n_settled < len(trials) and trials[self._n_settled].number in self._taken:
            self._n_settled += 1
        self.running = []
        for trial in trials[self._n_settled :]:
            if trial.number not in self._taken and trial.number != asking.number:
                self._take(trial, signs)

    def has_seen(self, point: Floats) -> bool:
        """Whether the configuration of this point was tried, with or without success, or is in flight."""
        return _key(point) in self._seen

    def _take(self, trial: FrozenTrial, signs: Floats) -> None:
        if trial.state.is_finished():
            self._taken.add(trial.number)
        point = self._point(trial)
        if point is None:
            return
        self._seen.add(_key(point))
        if trial.state == TrialState.RUNNING:
            self.running.append(point)
        elif trial.state != TrialState.FAIL and trial.values is not None and np.isfinite(trial.values).all():
            self.objectives.append(signs * np.array(trial.values))
            self.observations.append(Observation(trial.number, point, float(self.objectives[-1][0])))

    def _point(self, trial: FrozenTrial) -> Floats | None:
        try:
            configuration = self._space.check(trial.params)
        except ConfigurationError:
            return None
        point: Floats = self._space.to_unit([configuration])[0]
        return point


def _key(point: Floats) -> bytes:
    return bytes((np.round(np.nan_to_num(point, nan=-1.0), 9) + 0.0).tobytes())
