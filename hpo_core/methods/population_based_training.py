"""Population-based training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import UsageError
from hpo_core.methods import Capabilities, ResultsNeeded, SearchMethod, SpaceSampler, Strengths, record_thought
from hpo_core.methods._members import Member, Members, best_first
from hpo_core.options import option
from hpo_core.problem import ModelProblem, Problem
from hpo_core.schedule import Schedule, Segment
from hpo_core.space import Categorical, Configuration, SearchSpace

_DRAWS = 20
_STOPPING = "early_stopping"
_TURNED_TO = "Take sgd, neural_network, gradient_boosting or hist_gradient_boosting, or search with hyperband."


@dataclass(frozen=True)
class PopulationBasedTraining(SearchMethod):
    """Members train in turns; the worst take over the weights of the best and change their hyperparameters a little."""

    key: ClassVar[str] = "population_based_training"
    label: ClassVar[str] = "Population-based training"
    purpose: ClassVar[str] = "Trains many models side by side; losers copy a winner's weights and vary what it did."
    when_to_use: ClassVar[str] = (
        "Models trained step by step, whose best learning rate or penalty changes on the way: it finds a schedule, not "
        "one value. What cannot change while training, such as layer widths, is only chosen among the first members."
    )
    source: ClassVar[str] = "Jaderberg et al. (2017), Population Based Training of Neural Networks"
    strengths: ClassVar[Strengths] = Strengths(fewest=60, waits=True)
    cost: ClassVar[str] = "Little thought; all fits together are as long as training every member once."
    capabilities: ClassVar[Capabilities] = Capabilities(kinds=("float", "int"))

    population: int = option(10, "Members", "How many models train side by side.", low=2, high=1000)
    turns: int = option(
        10, "Turns", "Into how many parts a whole training is cut; after each, members are compared.", low=2, high=100
    )
    quantile: float = option(
        0.2,
        "Share that copies",
        "Share of the members that copies, and that is copied from.",
        low=0.01,
        high=0.5,
    )
    perturbation: float = option(
        0.2, "Perturbation", "By which share a number is raised or lowered after copying.", low=0.01, high=0.9
    )
    resampling: float = option(
        0.25,
        "Resampling",
        "How likely a number is drawn anew after copying, not just changed a little.",
        low=0.0,
        high=1.0,
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _PopulationSampler(space, seed, self, changeable_of(space), {})

    def sampler_for(self, problem: Problem, seed: int) -> SpaceSampler:
        if why := self.why_unsuitable(problem):
            raise UsageError(why)
        assert isinstance(problem, ModelProblem)
        assert problem.family.resource is not None
        # The length of training is what is cut into turns, so it is the same for all.
        length = problem.space[problem.family.resource.parameter]
        fixed = {length.name: length.default, **({_STOPPING: False} if _STOPPING in problem.space.names else {})}
        changeable = changeable_of(problem.space, problem.family.resource.changeable)
        return _PopulationSampler(problem.space, seed, self, changeable, fixed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        if changeable_of(space):
            return None
        return "Population-based training varies numbers, and this space has none to vary. Choose grid or random."

    def why_unsuitable(self, problem: Problem) -> str | None:
        if not isinstance(problem, ModelProblem):
            return (
                f"Population-based training needs a model that trains step by step, and {problem.title} is none. "
                "Choose any other method."
            )
        resource = problem.family.resource
        if not (problem.goes_on and resource and resource.changeable):
            return f"{problem.family.label} cannot go on training with other hyperparameters. {_TURNED_TO}"
        if not changeable_of(problem.space, resource.changeable):
            return (
                f"No parameter that may change while {problem.family.label} trains is left in this space "
                f"({', '.join(resource.changeable)}). Widen one of them, or search with hyperband."
            )
        if _STOPPING in problem.space.names and problem.space[_STOPPING].why_invalid(False):
            return (
                f"A member trains on after every turn, so it cannot stop early by itself. Let {_STOPPING} be False, or "
                "search with hyperband."
            )
        return None

    @property
    def scheme(self) -> str:
        """What the thoughts of its trials are marked with: other options make another population."""
        return f"{self.key} {self.population} {self.turns}"


def changeable_of(space: SearchSpace, names: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Numbers with more than one value; only those of the names, where given."""
    numbers = [p for p in space.parameters if not isinstance(p, Categorical) and p.low < p.high]
    return tuple(p.name for p in numbers if names is None or p.name in names)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What comes next: whose turn of which round, from which state on, with which configuration, and why."""

    round: int
    member: int
    turn: int
    configuration: Configuration
    past: tuple[Segment, ...]
    parent: Member | None
    why: str


class _PopulationSampler(SpaceSampler):
    """All is read from the trials: who is at which turn, how good, and along which schedule it was trained."""

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        method: PopulationBasedTraining,
        changeable: tuple[str, ...],
        fixed: Configuration,
    ) -> None:
        super().__init__(space, seed)
        self._method, self._changeable, self._fixed = method, changeable, fixed
        self._members = Members(space, method.scheme)
        self._planned: dict[int, Configuration] = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Gives the trial its member and turn; one that was queued with values of its own gets none."""
        if "fixed_params" in trial.system_attrs:
            return
        self._members.read(study, trial)
        turn = self._next()
        self._planned[trial.number] = turn.configuration
        schedule = Schedule((turn.turn + 1) / self._method.turns, turn.past)
        record_thought(
            study,
            trial,
            stage=f"turn {turn.turn + 1} of {self._method.turns}",
            why=turn.why,
            scheme=self._method.scheme,
            round=turn.round,
            member=turn.member,
            turn=turn.turn,
            parent=None if turn.parent is None else [turn.parent.member, turn.parent.turn],
            **{"resource": schedule.resource, **schedule.to_thought()},
        )

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        planned = self._planned.pop(trial.number, None)
        return self._drawn(self.rng(trial)) if planned is None else planned

    def _next(self) -> _Turn:
        """The turn of the member that is furthest behind and not in flight."""
        number = self._members.newest_round()
        if all(self._members.n_turns(number, m) >= self._method.turns for m in range(self._method.population)):
            number += 1
        waiting = [m for m in range(self._method.population) if not self._members.is_running(number, m)]
        waiting = [m for m in waiting if self._members.n_turns(number, m) < self._method.turns]
        if not waiting:
            raise ResultsNeeded("Every member is training: the next turn begins when one of them has ended.")
        member = min(waiting, key=lambda m: (self._members.n_turns(number, m), m))
        turn = self._members.n_turns(number, member)
        rng = np.random.default_rng([self.seed, number, member, turn])
        return self._begin(number, member, rng) if turn == 0 else self._go_on(number, member, turn, rng)

    def _begin(self, number: int, member: int, rng: np.random.Generator) -> _Turn:
        why = f"Member {member + 1} of {self._method.population} begins, drawn at random."
        return _Turn(number, member, 0, self._drawn(rng), (), None, why)

    def _go_on(self, number: int, member: int, turn: int, rng: np.random.Generator) -> _Turn:
        """Goes on as it was, or from where one of the best is, if it was among the worst."""
        ranked = best_first(self._members.at(number, turn - 1))
        own = next(m for m in ranked if m.member == member)
        n_copying = max(1, int(self._method.quantile * len(ranked)))
        winners = [m for m in ranked[:n_copying] if m.is_scored and m.member != member]
        if winners and (own in ranked[-n_copying:] or not own.is_scored):
            return self._copy(number, member, turn, winners[int(rng.integers(len(winners)))], rng)
        if own.is_scored:
            return _Turn(number, member, turn, own.configuration, own.past, own, "Not among the worst: trains on.")
        why = "Its training failed, and there is no other to copy: begins anew."
        return _Turn(number, member, turn, self._drawn(rng), (), None, why)

    def _copy(self, number: int, member: int, turn: int, winner: Member, rng: np.random.Generator) -> _Turn:
        others = [m.configuration for m in (*self._members.at(number, turn), *self._members.flying(number, turn))]
        changed = self._changed(winner.configuration, others, rng)
        why = f"Among the worst: takes over the weights of member {winner.member + 1} and varies its values."
        past = (*winner.past, Segment(winner.configuration, turn / self._method.turns))
        return _Turn(number, member, turn, changed, past, winner, why)

    def _changed(
        self, configuration: Configuration, others: list[Configuration], rng: np.random.Generator
    ) -> Configuration:
        """Unlike the winner and all that are at this turn already, where the space has room for that."""
        for _ in range(_DRAWS):
            changed = dict(configuration)
            for name in self._changeable:
                if name in configuration:
                    changed[name] = self._varied(name, configuration[name], rng)
            changed = self.space.check(changed)
            if changed != configuration and changed not in others:
                break
        return changed

    def _varied(self, name: str, value: float, rng: np.random.Generator) -> float:
        """Drawn anew, or the nearest legal value to one that is a little higher or lower."""
        p = self.space[name]
        assert not isinstance(p, Categorical)
        is_resampled, is_up, anew = rng.random() < self._method.resampling, rng.random() < 0.5, rng.random()
        if is_resampled:
            return p.from_unit(anew)
        wanted = value * (1 + self._method.perturbation if is_up else 1 - self._method.perturbation)
        nearest = p.from_unit(p.unit(min(max(wanted, p.low), p.high)))
        if p.kind == "int" and nearest == value:
            nearest = value + (p.step or 1) * (1 if is_up else -1)
        return nearest if p.low <= nearest <= p.high else value

    def _drawn(self, rng: np.random.Generator) -> Configuration:
        drawn = self.space.from_unit(rng.random(len(self.space)))
        return self.space.completed({**drawn, **{n: v for n, v in self._fixed.items() if n in drawn}})


POPULATION_BASED_TRAINING = PopulationBasedTraining()
