"""Functional analysis of variance over randomised trees: how the variance of a forest splits among its parameters.

Source: Hutter, Hoos and Leyton-Brown (2014), An Efficient Approach for Assessing Hyperparameter Importance; trees as of
Geurts, Ernst and Wehenkel (2006), Extremely randomized trees. Each resample of the trials grows a small forest; the
marginal of a parameter is the mean of the forest over all others, exact from the boxes of its leaves, and the share is
the marginal's variance over that of the whole forest. Averaging the trees before the variance is taken keeps the shares
of parameters that do nothing near 0.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import ExtraTreeRegressor

from hpo_core.studies.table import Floats

_TREES = 8
_CELLS, _PROBES = 32, 1024


class ForestShares(NamedTuple):
    """Shares of the variance by resample, and how good the forest is.

    Attributes:
        single: Of each parameter alone, shape (resamples, d).
        pairs: Of two parameters beyond each alone, by their columns, of pairs of those that matter most alone.
        chance: Of a made-up parameter that has nothing to do with the values.
        additive: What the parameters make of each value one by one, without acting together, shape (n,).
        r2: Share of the variance of trials left out of a resample that its forest explains; at most 1.
    """

    single: Floats
    pairs: dict[tuple[int, int], Floats]
    chance: Floats
    additive: Floats
    r2: float


@dataclass(frozen=True, slots=True, eq=False)
class _Leaves:
    """The leaves of a tree as boxes in the unit cube: lower and upper corners, shape (leaves, d), and values."""

    low: Floats
    high: Floats
    values: Floats


def forest_shares(
    units: Floats, values: Floats, n_resamples: int, seed: int, *, paired: int | list[int] = 5
) -> ForestShares:
    """Shares of the parameters in the ups and downs of the values.

    Args:
        units: Points in the unit cube, shape (n, d); NaN where a parameter is not used, and drawn at random there.
        values: Shape (n,), all finite.
        n_resamples: How often the points are drawn anew with replacement.
        seed: For resamples, trees and probes.
        paired: How many of the parameters that matter most alone are looked at in pairs, or the columns of those.
    """
    rng = np.random.default_rng(seed)
    n, d = units.shape
    probes = rng.random((_PROBES, d + 1), dtype=np.float32)
    predicted, times_out = np.zeros(n), np.zeros(n)
    marginals, totals, leaves = [], [], []
    for _ in range(n_resamples):
        drawn = np.column_stack([np.where(np.isnan(units), rng.random(units.shape), units), rng.random(n)])
        filled = drawn.astype(np.float32)  # as trees want it, so that they need not look and copy each time
        sample = rng.integers(n, size=n)
        out = np.setdiff1d(np.arange(n), sample)
        trees = [_grown(filled[sample], values[sample], int(rng.integers(2**31))) for _ in range(_TREES)]
        predicted[out] += _mean_of(trees, filled[out]) if len(out) else 0.0
        times_out[out] += 1
        totals.append(float(np.var(_mean_of(trees, probes))))
        leaves.append([_leaves(tree.tree_, d + 1) for tree in trees])
        marginals.append(np.mean([_marginals(boxes) for boxes in leaves[-1]], axis=0))
    total = np.maximum(np.array(totals), 1e-300)
    single = np.minimum(np.var(marginals, axis=2) / total[:, None], 1.0)
    by_share = np.argsort(-np.median(single[:, :d], axis=0), kind="stable")
    columns = paired if isinstance(paired, list) else sorted(by_share[:paired].tolist())
    pairs = _pair_shares(leaves, np.array(marginals), list(itertools.combinations(columns, 2)), total)
    seen = times_out > 0
    r2 = _r2(values[seen], predicted[seen] / times_out[seen])
    return ForestShares(single[:, :d], pairs, single[:, d], _additive(np.mean(marginals, axis=0)[:d], units), r2)


def _grown(units: NDArray[np.float32], values: Floats, seed: int) -> ExtraTreeRegressor:
    tree = ExtraTreeRegressor(min_samples_leaf=3, max_leaf_nodes=128, max_features=1.0, random_state=seed)
    return tree.fit(units, values, check_input=False)


def _mean_of(trees: list[ExtraTreeRegressor], units: NDArray[np.float32]) -> Floats:
    return np.asarray(np.mean([tree.predict(units, check_input=False) for tree in trees], axis=0))


def _leaves(tree: object, d: int) -> _Leaves:
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    feature, threshold = tree.feature, tree.threshold  # type: ignore[attr-defined]
    low, high = np.zeros((len(left), d)), np.ones((len(left), d))
    for node in np.flatnonzero(left >= 0).tolist():  # a parent stands before its children
        for child, end in ((left[node], high), (right[node], low)):
            low[child], high[child] = low[node], high[node]
            end[child, feature[node]] = threshold[node]
    is_leaf = left < 0
    return _Leaves(low[is_leaf], high[is_leaf], tree.value[is_leaf, 0, 0])  # type: ignore[attr-defined]


def _cells(boxes: _Leaves) -> Floats:
    """Share of each cell along each axis that each box covers, shape (d, leaves, cells)."""
    edges = np.linspace(0, 1, _CELLS + 1)
    covered = np.minimum(boxes.high.T[:, :, None], edges[1:]) - np.maximum(boxes.low.T[:, :, None], edges[:-1])
    return np.asarray(np.maximum(covered, 0.0) * _CELLS)


def _marginals(boxes: _Leaves) -> Floats:
    """Mean of the tree over all other axes, in each cell along each axis, shape (d, cells)."""
    widths = np.maximum(boxes.high - boxes.low, 1e-12)
    weights = boxes.values * widths.prod(axis=1)
    return np.asarray(np.einsum("ld,dlc->dc", weights[:, None] / widths, _cells(boxes)))


def _additive(marginals: Floats, units: Floats) -> Floats:
    """The sum of the marginals, shape (d, cells), at points of shape (n, d); one that is not used adds nothing."""
    effects = marginals - marginals.mean(axis=1, keepdims=True)
    cells = np.minimum(np.nan_to_num(units) * _CELLS, _CELLS - 1).astype(int)
    parts = np.where(np.isnan(units), 0.0, np.take_along_axis(effects.T, cells, axis=0))
    return np.asarray(marginals.mean() + parts.sum(axis=1))


def _pair_shares(
    leaves: list[list[_Leaves]], marginals: Floats, pairs: list[tuple[int, int]], total: Floats
) -> dict[tuple[int, int], Floats]:
    """Variance of two parameters together beyond each alone."""
    shares = {pair: np.zeros(len(leaves)) for pair in pairs}
    for i, forest in enumerate(leaves):
        joint = {pair: np.zeros((_CELLS, _CELLS)) for pair in pairs}
        for boxes in forest:
            _add_planes(joint, boxes)
        for (a, b), plane in joint.items():
            alone = marginals[i, a][:, None] + marginals[i, b]
            shares[a, b][i] = min(float(np.var(plane / len(forest) - alone)) / total[i], 1.0)
    return shares


def _add_planes(joint: dict[tuple[int, int], Floats], boxes: _Leaves) -> None:
    widths, cells = np.maximum(boxes.high - boxes.low, 1e-12), _cells(boxes)
    weights = boxes.values * widths.prod(axis=1)
    for a, b in joint:
        joint[a, b] += (cells[a] * (weights / (widths[:, a] * widths[:, b]))[:, None]).T @ cells[b]


def _r2(values: Floats, predicted: Floats) -> float:
    spread = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
    return 1 - float(((values - predicted) ** 2).sum()) / spread if spread > 0 else 0.0
