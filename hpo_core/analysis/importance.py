"""Which parameters matter: shares of the values' ups and downs, with intervals from resampled trials.

Functional analysis of variance over randomised trees (Hutter, Hoos and Leyton-Brown, 2014, An Efficient Approach for
Assessing Hyperparameter Importance; trees as of Geurts, Ernst and Wehenkel, 2006, Extremely randomized trees). Each of
twenty resamples of the trials grows a small forest; the marginal of a parameter is the mean of the forest over all
others, exact from the boxes of its leaves, and the share is the marginal's variance over that of the whole forest.
Averaging the trees before the variance is taken keeps the shares of parameters that do nothing near 0.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import ExtraTreeRegressor

from hpo_core.analysis.selection import Rows, representative_rows, robust_limits
from hpo_core.analysis.units import units_of
from hpo_core.formats import format_count
from hpo_core.studies.table import Floats, TrialTable

WEAK = 0.1
_TINY = 0.01
_FEWEST, _PER_PARAMETER = 20, 4
_MOST, _MOST_IN_PART = 1000, 300
_RESAMPLES, _TREES = 20, 8
_CELLS, _PROBES = 32, 1024
_PAIRED = 5
_INTERVAL = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the values' variance that one parameter, or two together beyond each alone, accounts for.

    Attributes:
        names: The parameter, or the two.
        low, median, high: Median and 90 % interval over the resamples, 0 to 1.
        n_trials: Trials that it was learned from.
        is_partial: Whether it holds among the trials that use the parameter only.
    """

    names: tuple[str, ...]
    low: float
    median: float
    high: float
    n_trials: int
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Importance:
    """What matters in a study.

    Attributes:
        shares: Of single parameters, the largest median first.
        pairs: The strongest interactions of two parameters, the largest first.
        too_few: Parameters that too few trials use to say anything.
        r2: Share of the variance of trials left out of a resample that its forest explains; at most 1.
        n_trials, n_usable: Trials that were learned from, and finished trials.
        chance: Upper end of the interval of a made-up parameter that has nothing to do with the values.
    """

    shares: tuple[Share, ...]
    pairs: tuple[Share, ...]
    too_few: tuple[str, ...]
    r2: float
    n_trials: int
    n_usable: int
    chance: float

    def is_clear(self, share: Share) -> bool:
        """Whether it is more than chance gives a made-up parameter, and more than a hundredth."""
        return not self.is_weak and share.median > self.threshold

    @property
    def threshold(self) -> float:
        """Shares up to here say nothing."""
        return max(self.chance, _TINY)

    @property
    def is_weak(self) -> bool:
        """Whether the trials say next to nothing about what matters."""
        return self.r2 < WEAK


def why_no_importance(table: TrialTable) -> str | None:
    """The sentence why nothing can be said, or None."""
    usable = _usable(table)
    moving = _moving(table, usable)
    if not moving:
        return "No parameter differs between the finished trials, so none can matter more than another."
    need = max(_FEWEST, _PER_PARAMETER * len(moving))
    if len(usable) < need:
        return (
            f"Too few trials to tell what matters: {format_count(len(moving), 'parameter')} need at least {need} "
            f"finished trials; so far there are {len(usable)}."
        )
    if np.ptp(table.values[usable]) == 0:
        return "All finished trials have the same value, so nothing matters yet."
    return None


def importance(table: TrialTable, *, top_only: bool = False, seed: int = 0) -> Importance:
    """Shares of all parameters, for a table for which `why_no_importance` is None.

    A parameter that only some trials use is judged among these alone; in the forest of all trials it is drawn at random
    where it is not used, so that it tells nothing there.

    Args:
        table: The study.
        top_only: Whether values worse than the median count as the median: what matters among the better half.
        seed: For resamples, trees and probes.
    """
    usable = _usable(table)
    rows = representative_rows(table, usable, _MOST, 0)
    names = _moving(table, usable)
    values = _clipped(table, usable, rows, top_only)
    units = units_of(table, rows)[:, [list(table.params).index(name) for name in names]]
    is_used = ~np.isnan(units)
    whole = _forest_shares(units, values, _RESAMPLES, seed)
    steady = [name for i, name in enumerate(names) if is_used[:, i].all()]
    shares = [_share((name,), whole.single[:, names.index(name)], len(rows)) for name in steady]
    too_few = []
    for part, columns in _parts(is_used):
        mine, own = part & np.isfinite(values), [names[i] for i in columns]
        if mine.sum() < _FEWEST or np.ptp(values[mine]) == 0:
            too_few += own
            continue
        chosen = np.flatnonzero(mine)[:: int(np.ceil(mine.sum() / _MOST_IN_PART))]
        among = _forest_shares(units[chosen], values[chosen], _RESAMPLES // 2, seed)
        shares += [_share((names[i],), among.single[:, i], len(chosen), is_partial=True) for i in columns]
    pairs = [_share((names[i], names[j]), column, len(rows)) for (i, j), column in whole.pairs.items()]
    return Importance(
        shares=tuple(sorted(shares, key=lambda share: -share.median)),
        pairs=tuple(sorted(pairs, key=lambda share: -share.median)[:3]),
        too_few=tuple(too_few),
        r2=whole.r2,
        n_trials=len(rows),
        n_usable=len(usable),
        chance=float(np.quantile(whole.chance, _INTERVAL[-1])),
    )


class _Shares(NamedTuple):
    """By resample: shares of each parameter, of pairs of them, of the made-up parameter; and the forest's quality."""

    single: Floats
    pairs: dict[tuple[int, int], Floats]
    chance: Floats
    r2: float


@dataclass(frozen=True, slots=True, eq=False)
class _Leaves:
    """The leaves of a tree as boxes in the unit cube: lower and upper corners, shape (leaves, d), and values."""

    low: Floats
    high: Floats
    values: Floats


def _usable(table: TrialTable) -> Rows:
    return np.flatnonzero(table.is_learnable)


def _moving(table: TrialTable, usable: Rows) -> list[str]:
    columns = {name: column[usable] for name, column in table.params.items()}
    used = {name: column[~np.isnan(column)] for name, column in columns.items()}
    return [name for name, column in used.items() if len(column) and column.min() < column.max()]


def _clipped(table: TrialTable, usable: Rows, rows: Rows, top_only: bool) -> Floats:
    """Values to minimise, terrible ones pulled in; with `top_only` no worse than the median of all."""
    limits = robust_limits(table.values[usable], table.sign)
    values = table.sign * np.clip(table.values[rows], limits.low, limits.high)
    return np.minimum(values, np.median(table.sign * table.values[usable])) if top_only else values


def _parts(is_used: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], list[int]]]:
    """Trials that use the same parameters among those not always used, with these parameters' columns."""
    found: dict[bytes, list[int]] = {}
    for column in np.flatnonzero(~is_used.all(axis=0)).tolist():
        found.setdefault(is_used[:, column].tobytes(), []).append(column)
    return [(is_used[:, columns[0]], columns) for columns in found.values()]


def _share(names: tuple[str, ...], column: Floats, n_trials: int, *, is_partial: bool = False) -> Share:
    low, median, high = np.quantile(column, _INTERVAL).tolist()
    return Share(names, low, median, high, n_trials, is_partial)


def _forest_shares(units: Floats, values: Floats, n_resamples: int, seed: int) -> _Shares:
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
    pairs = _pair_shares(leaves, np.array(marginals), single[:, :d], total)
    seen = times_out > 0
    return _Shares(single[:, :d], pairs, single[:, d], _r2(values[seen], predicted[seen] / times_out[seen]))


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


def _pair_shares(
    leaves: list[list[_Leaves]], marginals: Floats, single: Floats, total: Floats
) -> dict[tuple[int, int], Floats]:
    """Variance of two parameters together beyond each alone, of pairs of the five that matter most alone."""
    strongest = sorted(np.argsort(-np.median(single, axis=0))[:_PAIRED].tolist())
    pairs = list(itertools.combinations(strongest, 2))
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
