"""A model of a study: the value that a configuration would have, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.stats import rankdata

from hpo_core import gaussian_process
from hpo_core.analysis.selection import Rows, estimates_in_words, moving_parameters, representative_rows, robust_limits
from hpo_core.analysis.units import space_of, units_of
from hpo_core.cube import Cube
from hpo_core.formats import format_count, format_score
from hpo_core.gaussian_process import GaussianProcess
from hpo_core.space import SearchSpace
from hpo_core.studies.table import Floats, TrialTable
from hpo_core.warping import Prediction, WarpKind

FEWEST = 8
SURE_ENOUGH = 0.3
_TO_EXPLAIN, _PER_PARAMETER = 12, 2
_FEW, _MANY = 8, 40  # trials a parameter
_MOST, _MOST_WIDE, _WIDE = 300, 200, 12
_AVERAGED = 64


@dataclass(frozen=True, slots=True)
class Quality:
    """How well each trial's value is told from all the others.

    Attributes:
        r2: Share of the values' variance that is explained, at most 1; 0 or less means no better than their mean.
        rank_correlation: Spearman's, from -1 to 1.
        n_trials: Trials that the model was learned from.
    """

    r2: float
    rank_correlation: float
    n_trials: int

    def in_words(self, what: str) -> str:
        """How far to trust what was drawn with it, `what` being its name, with the figures."""
        figures = f"leave-one-out R² {self.r2:.2f}, rank correlation {self.rank_correlation:.2f}"
        if self.r2 >= 0.7:
            return f"The {what} predicts unseen trials well ({figures})."
        if self.r2 >= SURE_ENOUGH:
            return f"The {what} predicts unseen trials roughly ({figures})."
        return f"The {what} hardly predicts unseen trials ({figures}): do not read its details."


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A Gaussian process over all parameters of a study.

    Attributes:
        table: The study.
        rows: Trials that it was learned from: at most 300, or 200 over many parameters; half of them the best, and an
            even sample of the others.
        values: Their values, terrible ones pulled in to the worst of the others so that they do not set the scale.
        process: The fitted process.
    """

    table: TrialTable
    rows: Rows
    values: Floats
    process: GaussianProcess

    @cached_property
    def quality(self) -> Quality:
        with gaussian_process.one_thread():
            expected = self.process.leave_one_out().mean
        spread = float(((self.values - self.values.mean()) ** 2).sum())
        error = float(((self.values - expected) ** 2).sum())
        r2 = 1 - error / spread if spread > 0 else 0.0
        return Quality(r2, _rank_correlation(self.values, expected), len(self.rows))

    @cached_property
    def importances(self) -> dict[str, float]:
        """Mean squared change of the expected value when a parameter is shuffled among the trials; sums to 1."""
        units = self.process.units
        order = np.random.default_rng(0).permutation(len(units))
        changes = []
        with gaussian_process.one_thread():
            expected = self.process.expected(units)
            for column in range(units.shape[1]):
                shuffled = units.copy()
                shuffled[:, column] = units[order, column]
                changes.append(float(((self.process.expected(shuffled) - expected) ** 2).mean()))
        total = sum(changes) or 1.0
        return {name: change / total for name, change in zip(self.table.params, changes, strict=True)}

    def learned_in_words(self) -> str:
        """How many of how many finished trials it was learned from, as the end of a sentence."""
        usable = int(self.table.is_learnable.sum())
        share = "all" if len(self.rows) == usable else f"{len(self.rows):,} of"
        return f"learned from {share} {format_count(usable, 'finished trial')}{estimates_in_words(self.table)}"

    def trust_in_words(self, what: str) -> str:
        """How far to trust what was drawn with it, `what` being its name: what it was taught, how well it predicts, and
        whether its intervals hold what they say.

        Its length scales are taken as if they were known, so that with few trials intervals are too narrow:
        `tests/benchmarks/bench_explanations.py` measures how often those of 90 % hold the truth.
        """
        sentences = [self.quality.in_words(what)]
        pulled = self.values[self.values != self.table.values[self.rows]]
        if len(pulled):
            many = f"{format_count(len(pulled), 'very bad value')} {'counts' if len(pulled) == 1 else 'count'}"
            sentences.insert(0, f"{many} as {format_score(float(pulled[0]))}.")
        per_parameter = len(self.rows) / max(len(moving_parameters(self.table)), 1)
        if per_parameter < _MANY and len(self.rows) < _MOST_WIDE:
            times = "seven" if per_parameter < _FEW else "eight"
            sentences.append(f"With so few trials its 90 % intervals hold the truth rather {times} times in ten.")
        return " ".join(sentences)

    def anchor(self, *names: str) -> int:
        """Row of the best trial that uses all these parameters; of the best trial when none does."""
        complete = self.table.is_complete & np.isfinite(self.table.values)
        used = complete & np.all([~np.isnan(self.table.params[name]) for name in names], axis=0)
        signed = np.where(used if used.any() else complete, self.table.sign * self.table.values, np.inf)
        return int(np.argmin(signed))

    def uses(self, name: str) -> bool:
        """Whether any trial that it was learned from uses this parameter."""
        return not np.isnan(self.process.units[:, list(self.table.params).index(name)]).all()

    def along(self, name: str, at: Floats) -> Prediction:
        """Partial dependence: the value expected at places of one parameter, averaged over the trials that use it.

        The other parameters are as in at most 64 of these trials; the standard deviation is that of the average. For
        parameters that it `uses`. Source: Friedman (2001), Greedy function approximation.
        """
        column = list(self.table.params).index(name)
        units = self.process.units[~np.isnan(self.process.units[:, column])]
        units = units[:: -(-len(units) // _AVERAGED)]
        groups = np.repeat(units[None], len(at), axis=0)
        groups[:, :, column] = at[:, None]
        with gaussian_process.one_thread():
            return self.process.predict_average(groups)

    def points_through_best(self, name: str, at: Floats) -> Floats:
        """Legal points at places of one parameter, shape (len(at), d); the others are as in `plane`."""
        points = np.tile(self._base(name), (len(at), 1))
        points[:, list(self.table.params).index(name)] = at
        return Cube(self.process.space).snap(points)

    def plane(self, x: str, y: str, x_units: Floats, y_units: Floats) -> Prediction:
        """Expected values and their standard deviations, shape (len(y_units), len(x_units)).

        The other parameters stay as in `anchor`. One that it does not use, and a category on the grid does, is taken
        from the best trial that uses it.
        """
        names = list(self.table.params)
        points = np.tile(self._base(x, y), (len(y_units) * len(x_units), 1))
        points[:, names.index(x)] = np.tile(x_units, len(y_units))
        points[:, names.index(y)] = np.repeat(y_units, len(x_units))
        shape = (len(y_units), len(x_units))
        with gaussian_process.one_thread():
            prediction = self.process.predict(Cube(self.process.space).snap(points))
        return Prediction(prediction.mean.reshape(shape), prediction.sd.reshape(shape))

    def _base(self, *varied: str) -> Floats:
        names = list(self.table.params)
        base: Floats = units_of(self.table, np.array([self.anchor(*varied)]))[0]
        for column in np.flatnonzero(np.isnan(base)):
            base[column] = units_of(self.table, np.array([self.anchor(names[column])]))[0, column]
        return base


def why_no_surrogate(table: TrialTable) -> str | None:
    """The sentence why nothing can be learned from the trials, or None."""
    usable = table.is_learnable
    count = int(usable.sum())
    if count < FEWEST:
        return f"A model of the values needs at least {FEWEST} finished trials; so far it has {count}."
    if np.ptp(table.values[usable]) == 0:
        return "All finished trials have the same value, so there is no shape to show."
    return None


def why_no_explanation(table: TrialTable) -> str | None:
    """The sentence why the trials are too few to tell by a surrogate what each parameter does, or None."""
    moving, count = moving_parameters(table), int(table.is_learnable.sum())
    need = max(_TO_EXPLAIN, _PER_PARAMETER * len(moving))
    if count >= need:
        still = "No parameter differs between the finished trials, so there is no telling what one does."
        return why_no_surrogate(table) if moving else still
    return (
        f"Too few trials to tell what each parameter does: it takes at least {need} finished trials; "
        f"so far there {'is' if count == 1 else 'are'} {count}."
    )


def fit_surrogate(table: TrialTable, *, warp: WarpKind = "none") -> Surrogate:
    """Learns a surrogate from a table for which `why_no_surrogate` is None.

    Its hyperparameters are those of the first trials, at least seven eighths of them, and are learned anew each time
    that an eighth has come: a study of so many trials always gives the same surrogate, and most of a live one's cost is
    spent once for many refreshes, charts and visitors. With a warp, a few far values say less about how much the
    function varies where it is good.
    """
    usable, space = np.flatnonzero(table.is_learnable), space_of(table)
    rows, units, values = _sample(table, usable, space)
    _, first_units, first_values = _sample(table, usable[: _milestone(len(usable))], space)
    theta = _learned(space, warp, first_units.shape, first_units.tobytes(), first_values.tobytes())
    return Surrogate(table, rows, values, gaussian_process.given(space, units, values, theta, warp=warp))


def _milestone(n: int) -> int:
    """The number with its first four binary digits, the others 0."""
    step: int = 2 ** max(0, n.bit_length() - 4)
    return n - n % step


def _sample(table: TrialTable, usable: Rows, space: SearchSpace) -> tuple[Rows, Floats, Floats]:
    """Rows to learn from, their points in the unit cube and their values."""
    most = _MOST if len(table.params) <= _WIDE else _MOST_WIDE
    rows = representative_rows(table, usable, most, most // 2)
    limits = robust_limits(table.values[usable], table.sign)
    units = units_of(table, rows)
    always = np.array([p.when is None for p in space.parameters])
    return rows, np.where(np.isnan(units) & always, 0.5, units), np.clip(table.values[rows], limits.low, limits.high)


@lru_cache(maxsize=64)
def _learned(space: SearchSpace, warp: WarpKind, shape: tuple[int, int], units: bytes, values: bytes) -> Floats:
    points = np.frombuffer(units).reshape(shape)
    return gaussian_process.fit(space, points, np.frombuffer(values), warp=warp).theta


def _rank_correlation(a: Floats, b: Floats) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])
