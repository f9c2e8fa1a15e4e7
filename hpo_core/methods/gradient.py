"""Gradient descent on the validation loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optuna.samplers import BaseSampler

from hpo_core.errors import UsageError
from hpo_core.hypergradients import HYPERGRADIENTS, ValidationLoss
from hpo_core.methods import Capabilities, SearchMethod, Strengths
from hpo_core.methods._descent import STEP_RULES, StepRule
from hpo_core.methods._hypergradient_walk import HypergradientSampler
from hpo_core.methods._probing import ProbingSampler
from hpo_core.methods._walk import can_move
from hpo_core.options import option
from hpo_core.problem import ModelProblem, Problem
from hpo_core.space import SearchSpace

_AUTOMATIC, _ONE_BY_ONE, _ALL_AT_ONCE = "automatic", "one by one", "all at once"
_MOST_AXES = 3  # parameters up to which probing each of them is worth its trials


@dataclass(frozen=True)
class GradientDescent(SearchMethod):
    """Walks downhill by the exact gradient where the model has one, else by a gradient estimated from trials."""

    key: ClassVar[str] = "gradient"
    label: ClassVar[str] = "Gradient descent"
    purpose: ClassVar[str] = (
        "Walks downhill along the gradient of the validation loss, and begins anew when at a bottom."
    )
    when_to_use: ClassVar[str] = (
        "Penalties of linear models and kernel ridge, and the learning rate and penalty of a network: a few trials "
        "lead to the bottom, the nearest one. It follows squared error or log loss, while trials are scored by the "
        "metric. Categories and whole numbers need another method."
    )
    source: ClassVar[str] = (
        "Bengio (2000), Gradient-Based Optimization of Hyperparameters; Pedregosa (2016), Hyperparameter Optimization "
        "with Approximate Gradient; Franceschi et al. (2017), Forward and Reverse Gradient-Based Hyperparameter "
        "Optimization; steps by Riedmiller and Braun (1993), A Direct Adaptive Method for Faster Backpropagation "
        "Learning: The RPROP Algorithm; without a gradient by Kiefer and Wolfowitz (1952), Stochastic Estimation of "
        "the Maximum of a Regression Function, and Spall (1992), Multivariate Stochastic Approximation Using a "
        "Simultaneous Perturbation Gradient Approximation"
    )
    strengths: ClassVar[Strengths] = Strengths(fewest=8, surface="smooth", goes_on=True)
    cost: ClassVar[str] = "A gradient a trial: 10 to 50 ms, for which folds and epochs of large models are left out."
    capabilities: ClassVar[Capabilities] = Capabilities(kinds=("float",))

    rule: str = option(
        "rprop",
        "Step rule",
        "rprop gives each parameter a step of its own, line search halves a step that brings nothing, adam averages.",
        choices=tuple(STEP_RULES),
    )
    first_step: float = option(
        0.1, "First step", "Length of the first step, in widths of the ranges.", low=0.001, high=0.5
    )
    momentum: float = option(
        0.5, "Momentum", "How much of the last step goes into the next; rprop has none.", low=0.0, high=0.95
    )
    finest: float = option(
        0.002,
        "Last step",
        "A walk ends when its step is shorter than this, in widths of the ranges.",
        low=1e-5,
        high=0.1,
    )
    starts_at_best: bool = option(
        True, "From the best known", "Begin at the best configuration that is known, or at the default one."
    )
    most_rows: int = option(
        500, "Rows for the gradient", "How many rows of a fold the gradient looks at most.", low=20, high=100_000
    )
    most_folds: int = option(
        5, "Folds for the gradient", "How many folds the gradient is averaged over at most.", low=1, high=50
    )
    most_epochs: int = option(
        30, "Epochs for the gradient", "How many epochs of a network the gradient looks at most.", low=1, high=1000
    )
    most_milliseconds: float = option(
        40.0,
        "Time for the gradient",
        "About how many milliseconds a gradient may take: for it, folds and then epochs of large models are left out, "
        "and walks begin anew at models that are not too large.",
        low=5.0,
        high=60_000.0,
    )
    probing: str = option(
        _AUTOMATIC,
        "Probing",
        "Without a gradient: pairs of trials along each parameter one by one, or one pair that moves all at once.",
        choices=(_AUTOMATIC, _ONE_BY_ONE, _ALL_AT_ONCE),
    )
    probe_width: float = option(
        0.02, "Probe", "How far from a place it is probed, in widths of the ranges.", low=0.0001, high=0.2
    )

    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        """Without a problem to look into, the gradient is estimated from trials."""
        if why := self.why_unavailable(space):
            raise UsageError(why)
        n_moving = sum(map(can_move, space.parameters))
        is_joint = self.probing == _ALL_AT_ONCE or (self.probing == _AUTOMATIC and n_moving > _MOST_AXES)
        # A pair that moves all parameters at once is too rough a guess for rules that trust each sign or value.
        rule = self._rule("adam" if is_joint else self.rule)
        return ProbingSampler(
            space, seed, rule, starts_at_best=self.starts_at_best, width=self.probe_width, is_simultaneous=is_joint
        )

    def sampler_for(self, problem: Problem, seed: int) -> BaseSampler:
        if why := self.why_unsuitable(problem):
            raise UsageError(why)
        if not isinstance(problem, ModelProblem):
            return self.sampler(problem.space, seed)
        loss = ValidationLoss(
            problem,
            HYPERGRADIENTS[problem.family.key],
            most_rows=self.most_rows,
            most_folds=self.most_folds,
            most_epochs=self.most_epochs,
            most_milliseconds=self.most_milliseconds,
        )
        return HypergradientSampler(
            problem.space, seed, loss, self._rule(self.rule), starts_at_best=self.starts_at_best
        )

    def why_unavailable(self, space: SearchSpace) -> str | None:
        if any(map(can_move, space.parameters)):
            return None
        return (
            "Gradient descent needs a parameter that is a real number, without steps and not fixed; this search space "
            "has none. Use another method, or widen the search space."
        )

    def why_unsuitable(self, problem: Problem) -> str | None:
        if why := self.why_unavailable(problem.space):
            return why
        if not isinstance(problem, ModelProblem):
            return None
        label, key = problem.family.label, problem.family.key
        if key not in HYPERGRADIENTS:
            return (
                f"{label} cannot be differentiated by its hyperparameters here; these can: "
                f"{', '.join(rule.label for rule in HYPERGRADIENTS)}. Choose one of them, or search {label} with "
                "Gaussian process or TPE."
            )
        return self._why_nothing_moves(problem)

    def _why_nothing_moves(self, problem: ModelProblem) -> str | None:
        rule, space = HYPERGRADIENTS[problem.family.key], problem.space
        free = [p.name for p in space.parameters if can_move(p) and p.name in rule.parameters]
        barred = [n for n, v in rule.demand.items() if n in space.names and space[n].why_invalid(v)]
        if free and not barred:
            return None
        if barred:
            why = f"{barred[0]} must be allowed to be {rule.demand[barred[0]]}"
        else:
            why = f"{' or '.join(rule.parameters)} must be free to move"
        return f"To differentiate {problem.family.label}, {why}. Widen the search space, or use another method."

    def _rule(self, name: str) -> StepRule:
        return StepRule(name=name, first=self.first_step, momentum=self.momentum, finest=self.finest)


GRADIENT = GradientDescent()
