"""Training curves of a real model: its loss after more and more trees, and where a patient observer would stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpo_core.lessons._workshop import Report
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule
from hpo_core.search.executor import Executor, FitRequest

Floats = NDArray[np.float64]
FOLDS, CHECKS, TREES_PER_CHECK = 3, 40, 5
_ROWS_PER_TREE = 0.2  # stochastic boosting: so few rows for each tree make the curve tremble
_LAST = 9  # of those that wait for a worker, behind every person's nudge


@dataclass(frozen=True, eq=False)
class TrainingCurves:
    """Log loss after each check, shape (folds, checks).

    Attributes:
        train: On the rows that it was trained on.
        valid: On the rows held out.
    """

    train: Floats
    valid: Floats


@dataclass(frozen=True, slots=True)
class Stop:
    """Where training stops: the last check and the best one, counted from 0, and the waits after each check."""

    last: int
    best: int
    waits: tuple[int, ...]


@dataclass(frozen=True)
class Boosting:
    """Stochastic gradient boosting on two moons with noise, at one learning rate."""

    learning_rate: float

    def run(self, executor: Executor, report: Report) -> TrainingCurves:
        """Fits all checks of all folds, which go on from each other's trees where a worker still has them.

        Raises:
            FitError: It cannot be fitted.
        """
        problem = make_problem("moons", "gradient_boosting", metric="log_loss", protocol=Protocol(folds=FOLDS))
        trees = {"n_estimators": CHECKS * TREES_PER_CHECK, "subsample": _ROWS_PER_TREE}
        chosen = {**trees, "learning_rate": self.learning_rate}
        asked = FitRequest(spec=problem.spec, configuration=problem.space.completed(chosen), folds=(), rank=_LAST)
        found = []
        for fold in range(FOLDS):
            report(f"{fold} of {FOLDS} folds are fitted")
            shares = [Schedule((check + 1) / CHECKS) for check in range(CHECKS)]
            futures = [executor.submit(replace(asked, folds=(fold,), schedule=share)) for share in shares]
            results = [future.result()[0] for future in futures]
            found.append([(result.train_score, result.score) for result in results])
        losses = np.array(found, dtype=np.float64)
        return TrainingCurves(losses[:, :, 0], losses[:, :, 1])


def stop_of(losses: Sequence[float] | Floats, patience: int, least_gain: float) -> Stop:
    """Where training stops that waits for so many checks in a row without gain.

    A check gains when its loss is below the best so far by more than a share of that. Source: Prechelt (1998), Early
    Stopping - But When?, the criterion UP with strips of one check.

    Args:
        losses: After each check, all of the training.
        patience: Checks without gain, at least 1, after which it stops.
        least_gain: The share, 0 or above.
    """
    best, wait, waits = 0, 0, []
    for check, loss in enumerate(losses):
        if check == 0 or loss < losses[best] * (1 - least_gain):
            best, wait = check, 0
        else:
            wait += 1
        waits.append(wait)
        if wait >= patience:
            break
    return Stop(len(waits) - 1, best, tuple(waits))
