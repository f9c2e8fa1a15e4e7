"""Ensembles by greedy selection from given predictions, and how much of their gain is left on rows that chose nothing.

Source: Caruana, Niculescu-Mizil, Crew and Ksikes (2004), Ensemble Selection from Libraries of Models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Loss = Callable[[Floats], float]


@dataclass(frozen=True, slots=True)
class Selection:
    """What greedy selection chose.

    Attributes:
        counts: How often each model was taken, shape (m,).
        path: Models in the order in which they were taken, those after the best ensemble left out.
        losses: Loss of the ensemble after each of them.
    """

    counts: NDArray[np.int64]
    path: tuple[int, ...]
    losses: tuple[float, ...]

    @property
    def weights(self) -> Floats:
        """Share of each model in the mean, shape (m,)."""
        return np.asarray(self.counts / self.counts.sum())

    @property
    def loss(self) -> float:
        return self.losses[-1]

    def combined(self, predictions: Floats) -> Floats:
        """The mean of these models' predictions, by weight."""
        return np.asarray(np.tensordot(self.weights, predictions, axes=1))


def select_greedily(predictions: Floats, loss: Loss, n_rounds: int = 50) -> Selection:
    """Takes, round by round, the model that makes the mean of all taken best; a model may be taken again.

    Of the ensembles on the way the best is kept, the smallest of equals, so it is never worse than the best model.
    Of models that help as much the first is taken.

    Args:
        predictions: Of each model, shape (m, n) or (m, n, k).
        loss: Of one prediction, shape (n,) or (n, k); lower is better, NaN is worst.
        n_rounds: Models that are taken at most.
    """
    total = np.zeros(predictions.shape[1:])
    path: list[int] = []
    losses: list[float] = []
    for n_taken in range(1, n_rounds + 1):
        tried = [_comparable(loss((total + prediction) / n_taken)) for prediction in predictions]
        best = int(np.argmin(tried))
        total += predictions[best]
        path.append(best)
        losses.append(tried[best])
    end = int(np.argmin(losses)) + 1
    counts = np.bincount(path[:end], minlength=len(predictions))
    return Selection(counts, tuple(path[:end]), tuple(losses[:end]))


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Losses on parts of the rows, each by what the other parts chose; NaN where a part has no loss.

    Attributes:
        ensemble: Of the ensembles, shape (n_parts,).
        single: Of the best single models, shape (n_parts,).
    """

    ensemble: Floats
    single: Floats


def cross_check(
    predictions: Floats,
    rows: NDArray[np.int64],
    loss_on: Callable[[Floats, NDArray[np.bool_]], float],
    *,
    n_parts: int = 5,
    seed: int = 0,
) -> CrossCheck:
    """Chooses without one part of the rows and scores on that part, for each part in turn.

    Args:
        predictions: Of each model, shape (m, n) or (m, n, k).
        rows: Which row each prediction is about, shape (n,): one that occurs twice lies in one part.
        loss_on: Loss of one prediction on a part of the rows, given as a mask.
        n_parts: Random parts of about the same size.
        seed: Of the parts.
    """
    ensembles, singles = [], []
    for judge in _random_parts(rows, n_parts, seed):
        chooser = ~judge
        chosen = select_greedily(predictions, lambda p, part=chooser: loss_on(p, part))  # type: ignore[misc]
        best = int(np.argmin([_comparable(loss_on(p, chooser)) for p in predictions]))
        ensembles.append(loss_on(chosen.combined(predictions), judge))
        singles.append(loss_on(predictions[best], judge))
    return CrossCheck(np.array(ensembles), np.array(singles))


def _random_parts(rows: NDArray[np.int64], n_parts: int, seed: int) -> list[NDArray[np.bool_]]:
    distinct = np.unique(rows)
    drawn = np.random.default_rng(seed).permutation(distinct)
    return [np.isin(rows, part) for part in np.array_split(drawn, min(n_parts, len(distinct)))]


def _comparable(loss: float) -> float:
    return np.inf if np.isnan(loss) else loss
