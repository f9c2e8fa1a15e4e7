"""Trade-offs between several objectives: fronts, crowding, hypervolume. Everywhere lower is better.

Deb, Pratap, Agarwal and Meyarivan (2002), A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II; hypervolume
after Zitzler and Thiele (1998), Multiobjective Optimization Using Evolutionary Algorithms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def non_dominated_ranks(values: Floats, enough: int | None = None) -> NDArray[np.int64]:
    """Of each row, shape (n, m), the front that it belongs to, shape (n,): 0 for rows that no other dominates.

    Once the first fronts hold `enough` rows, the others share the next number: quick for many rows of two objectives.

    >>> non_dominated_ranks(np.array([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [3.0, 3.0], [4.0, 4.0]])).tolist()
    [0, 0, 0, 1, 2]
    """
    if values.shape[1] == 1:
        return np.unique(values[:, 0], return_inverse=True)[1]
    if values.shape[1] == 2:
        return _peeled(values, len(values) if enough is None else enough)
    is_no_worse: NDArray[np.bool_] = np.all(values[:, None] <= values[None], axis=2)
    dominates = is_no_worse & ~is_no_worse.T
    ranks = np.full(len(values), -1, dtype=np.int64)
    n_above = dominates.sum(axis=0)
    front = 0
    while (ranks < 0).any():
        here = (ranks < 0) & (n_above == 0)
        ranks[here] = front
        n_above = n_above - dominates[here].sum(axis=0)
        front += 1
    return ranks


def _peeled(values: Floats, enough: int) -> NDArray[np.int64]:
    ranks = np.zeros(len(values), dtype=np.int64)
    left = np.arange(len(values))
    while len(left) and len(values) - len(left) < enough:
        is_first = is_on_front(values[left])
        left = left[~is_first]
        ranks[left] += 1
    return ranks


def crowding_distances(values: Floats) -> Floats:
    """How far the neighbours of each row of one front lie apart, shape (n,); infinite at its ends."""
    n, m = values.shape
    distances = np.zeros(n)
    for column in range(m):
        order = np.argsort(values[:, column], kind="stable")
        along = values[order, column]
        span = along[-1] - along[0] if n else 0.0
        gaps = np.full(n, np.inf)
        if n > 2:
            gaps[1:-1] = (along[2:] - along[:-2]) / span if span > 0 else 0.0
        distances[order] += gaps
    return distances


def is_on_front(values: Floats) -> NDArray[np.bool_]:
    """Which rows, shape (n, 2), no other row dominates; of equal rows all or none. Quick for many rows.

    >>> is_on_front(np.array([[1.0, 4.0], [2.0, 2.0], [2.0, 2.0], [2.0, 3.0], [3.0, 3.0]])).tolist()
    [True, True, True, False, False]
    """
    if not len(values):
        return np.zeros(0, dtype=bool)
    order = np.lexsort((values[:, 1], values[:, 0]))
    first, second = values[order].T
    before = np.concatenate(([np.inf], np.minimum.accumulate(second)[:-1]))
    is_repeat = np.concatenate(([False], (np.diff(first) == 0) & (np.diff(second) == 0)))
    is_new = second < before
    group = np.cumsum(~is_repeat) - 1
    found = np.empty(len(values), dtype=bool)
    found[order] = is_new[~is_repeat][group]
    return found


def hypervolume(values: Floats, reference: Floats) -> float:
    """The area that rows, shape (n, 2), dominate up to a reference point, shape (2,).

    >>> hypervolume(np.array([[1.0, 3.0], [2.0, 1.0]]), np.array([4.0, 4.0]))
    7.0
    """
    inside = values[(values < reference).all(axis=1)]
    front = inside[is_on_front(inside)]
    front = np.unique(front, axis=0)
    ceilings = np.concatenate(([reference[1]], front[:-1, 1]))
    return float(((reference[0] - front[:, 0]) * (ceilings - front[:, 1])).sum())
