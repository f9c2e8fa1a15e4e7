"""The smooth validation loss of a problem and its gradient, as a mean over the folds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hpo_core.errors import FitError
from hpo_core.hypergradients._base import Fold, Hypergradient, SmoothLoss
from hpo_core.problem import ModelProblem
from hpo_core.space import Configuration, Float

_KEPT = 64  # losses that are remembered
_FEWEST_EPOCHS = 3


class ValidationLoss:
    """Loss and gradient at any configuration of a problem whose model can be differentiated.

    Rows beyond a limit are left out, by a draw that the problem's seed decides, and so are folds and epochs: a gradient
    then costs about as much as a trial, or less, and points the same way with some noise.

    Args:
        problem: The problem; its family must be that of `rule`.
        rule: How the family is differentiated.
        most_rows: Training rows of a fold that are looked at.
        most_folds: Folds that are looked at.
        most_epochs: Passes over the rows, for families that are trained in epochs.
        most_milliseconds: What a gradient may take, as the family's `effort` counts: folds, then epochs, are left out.
    """

    def __init__(
        self,
        problem: ModelProblem,
        rule: Hypergradient,
        *,
        most_rows: int,
        most_folds: int,
        most_epochs: int,
        most_milliseconds: float,
    ) -> None:
        self.rule = rule
        self.label = rule.losses[problem.data.task]
        self._problem = problem
        self._most_rows, self._most_folds, self._most_epochs = most_rows, most_folds, most_epochs
        self._most_nanoseconds = 1e6 * most_milliseconds
        self._known: dict[tuple[tuple[str, Any], ...], SmoothLoss] = {}

    def names(self, configuration: Mapping[str, Any]) -> tuple[str, ...]:
        """The parameters of a configuration that have a derivative and are free to move."""
        if self.rule.why_not(configuration):
            return ()
        free = [p.name for p in self._problem.space.parameters if _is_free(p)]
        return tuple(n for n in free if n in self.rule.parameters and n in configuration)

    def at(self, configuration: Configuration) -> SmoothLoss:
        """The mean over the folds; without `predicted`. The loss is infinite where a fold cannot be trained."""
        key = tuple(configuration.items())
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = self._computed(configuration)
        return self._known[key]

    def is_long(self, configuration: Configuration) -> bool:
        """Whether the gradient takes longer than it may, however much is left out."""
        estimator = self._problem.pipeline(configuration)[-1]
        fewest = _FEWEST_EPOCHS if self._problem.family.resource else 1
        return fewest * self.rule.effort(estimator, self._folds[0]) > self._most_nanoseconds

    def left_out(self, configuration: Configuration) -> str:
        """What a reader must know of the data that the gradient looks at; "" where these are all."""
        problem, parts = self._problem, []
        estimator, n_folds = self._cut_down(configuration)
        n_rows = max(len(train) for train, _ in problem.split.folds)
        if n_rows > self._most_rows:
            parts.append(f"{self._most_rows:,} of {n_rows:,} training rows")
        if n_folds < problem.n_folds:
            parts.append(f"{n_folds} of {problem.n_folds} folds")
        if problem.family.resource:
            noun, n_epochs = problem.family.resource.noun, estimator.get_params()[self._epochs_of(estimator)]
            whole = problem.pipeline(configuration)[-1].get_params()[self._epochs_of(estimator)]
            parts += [f"{n_epochs} of {whole} {noun}"] if n_epochs < whole else []
        return " and ".join(parts)

    def _computed(self, configuration: Configuration) -> SmoothLoss:
        estimator, n_folds = self._cut_down(configuration)
        with warnings.catch_warnings(), threadpool_limits(limits=1), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = [self.rule.differentiate(estimator, fold) for fold in self._folds[:n_folds]]
            except (ValueError, ArithmeticError, np.linalg.LinAlgError, FitError):
                return SmoothLoss(np.inf, {}, np.empty(0))
        names = self.names(configuration)
        gradient = {name: float(np.mean([loss.gradient[name] for loss in found])) for name in names}
        value = float(np.mean([loss.value for loss in found]))
        if not np.isfinite([value, *gradient.values()]).all():
            value = np.inf
        return SmoothLoss(value, gradient, np.empty(0))

    def _cut_down(self, configuration: Configuration) -> tuple[Any, int]:
        """The estimator, with no more epochs than can be afforded, and the number of folds."""
        estimator, n_folds = self._problem.pipeline(configuration)[-1], min(self._problem.n_folds, self._most_folds)
        affordable = self._most_nanoseconds / max(self.rule.effort(estimator, self._folds[0]), 1.0)
        if not self._problem.family.resource:
            return estimator, max(1, min(n_folds, int(affordable)))
        name = self._epochs_of(estimator)
        n_epochs = min(estimator.get_params()[name], self._most_epochs)
        n_folds = max(1, min(n_folds, int(affordable / n_epochs)))
        n_epochs = max(_FEWEST_EPOCHS, min(n_epochs, int(affordable / n_folds)))
        return estimator.set_params(**{name: n_epochs}), n_folds

    def _epochs_of(self, estimator: Any) -> str:
        """The name of the parameter that counts epochs, also inside a wrapper."""
        resource = self._problem.family.resource
        assert resource is not None
        return str(next(n for n in estimator.get_params() if n.rpartition("__")[2] == resource.parameter))

    @cached_property
    def _folds(self) -> list[Fold]:
        return [self._fold(number) for number in range(min(self._problem.n_folds, self._most_folds))]

    def _fold(self, number: int) -> Fold:
        problem = self._problem
        train, valid = problem.split.folds[number]
        rng = np.random.default_rng([problem.spec.protocol.seed, number])
        train, valid = (_cut(rows, self._most_rows, rng) for rows in (train, valid))
        # The preparation takes its columns by name, so that it may be given the whole table.
        table, target = problem.data.features, problem.data.target
        preparation = problem.pipeline(problem.space.default())[0]
        return Fold(
            x=np.ascontiguousarray(preparation.fit_transform(table.iloc[train])),
            y=target[train],
            x_valid=np.ascontiguousarray(preparation.transform(table.iloc[valid])),
            y_valid=target[valid],
        )


def _is_free(parameter: Any) -> bool:
    return isinstance(parameter, Float) and parameter.step is None and parameter.low < parameter.high


def _cut(rows: Any, most: int, rng: np.random.Generator) -> Any:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
