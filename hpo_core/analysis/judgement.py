"""The verdict of a duel: which arm is better, how sure that is, and how much more it would take to tell.

Everywhere higher is better: a gap is signed so that above 0 means that the first is better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from hpo_core.errors import UsageError
from hpo_core.formats import format_count, format_value
from hpo_core.studies.table import Floats

Verdict = Literal["better", "worse", "equivalent", "cannot tell"]

_LEVEL = 0.95
_SURE = 0.95
_MOST_GAPS = 10**9


class Chances(NamedTuple):
    """Probabilities of the first against the second, which add up to 1."""

    worse: float
    equivalent: float
    better: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known of the true difference: a Student t, or a single point where all gaps are equal.

    Attributes:
        mean: Of the gaps, in their unit.
        spread: Standard deviation of the gaps (n - 1).
        n_gaps: At least 2.
        overlap: Validation rows over training rows of a fold.
    """

    mean: float
    spread: float
    n_gaps: int
    overlap: float

    @property
    def degrees_of_freedom(self) -> int:
        """One less than there are gaps."""
        return self.n_gaps - 1

    @property
    def scale(self) -> float:
        """Of the Student t, in the unit of the gaps; never below the square root of the overlap times the spread."""
        return self.spread * math.sqrt(1 / self.n_gaps + self.overlap)

    @property
    def p_value(self) -> float:
        """Of the corrected resampled t-test, two-sided: whether the difference is 0.

        Source: Nadeau and Bengio (2003), Inference for the generalization error.
        """
        return 1.0 if self.mean == 0 else 2 * self._chance_below(-abs(self.mean))

    def chances(self, rope: float) -> Chances:
        """Chances that the true difference is below, within and above a region of practical equivalence.

        Args:
            rope: Half the width of that region, which lies around 0 and includes its ends; at least 0.

        Raises:
            UsageError: The region has no such width.
        """
        _check_rope(rope)
        worse, better = self._chance_below(-rope - self.mean), self._chance_below(self.mean - rope)
        return Chances(worse, max(0.0, 1 - worse - better), better)

    def half_width(self, level: float = _LEVEL) -> float:
        """Half the width of the interval.

        Raises:
            UsageError: The level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise UsageError(f"The level of an interval must be between 0 and 1; got {level:g}.")
        return float(special.stdtrit(self.degrees_of_freedom, (1 + level) / 2)) * self.scale

    def interval(self, level: float = _LEVEL) -> tuple[float, float]:
        """The ends of the interval that holds the true difference with this chance: highest density, symmetric."""
        half = self.half_width(level)
        return self.mean - half, self.mean + half

    def _chance_below(self, distance: float) -> float:
        """Chance that the true difference lies below the point at this distance above the mean."""
        if self.scale == 0:
            return float(distance > 0)
        return float(special.stdtr(self.degrees_of_freedom, distance / self.scale))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gaps of two arms say.

    Attributes:
        mean: Of the gaps, in their unit; above 0 the first did better.
        half_width: Half the width of the interval at `level`.
        p_value: Of the corrected resampled t-test, two-sided.
        rope: Half the width of the region of practical equivalence.
        chances: That the first is worse, equivalent within the region, better.
        verdict: For the first against the second.
        n_more: How many more gaps would bring a verdict if mean and spread stayed as they are: 0 where there is one,
            None where no number would (or none below a billion).
        level: Of the interval: one less the level of the test, so that a difference is called where it leaves out 0.
    """

    mean: float
    half_width: float
    p_value: float
    rope: float
    chances: Chances
    verdict: Verdict
    n_more: int | None
    level: float = _LEVEL

    def in_words(self, first: str, second: str, unit_name: str = "fold score") -> str:
        """The verdict in one sentence.

        Args:
            first, second: Names of the arms; the caller escapes them.
            unit_name: What one gap stands for, in the singular.

        >>> judge([0.02, 0.03, 0.01, 0.02, 0.025], overlap=0.25, rope=0.001).in_words("A", "B")
        'A is better than B by 0.021 (95 % interval 0.007 to 0.035).'
        >>> judge([0.02, -0.03, 0.01, 0.02, 0.01], overlap=0.01, rope=0.001).in_words("A", "B")
        'Cannot tell A from B: the difference is 0.006 ± 0.026; about 85 more fold scores would be needed.'
        """
        if self.verdict == "equivalent":
            return f"{first} and {second} are equivalent{self._why_equivalent(unit_name)}."
        if self.verdict == "cannot tell":
            difference = f"{self._figure(self.mean)} ± {self._figure(self.half_width)}"
            difference += "" if self.level == _LEVEL else f" ({self.level_in_words} interval)"
            return f"Cannot tell {first} from {second}: the difference is {difference}{self._what_it_takes(unit_name)}."
        size = abs(self.mean)
        low, high = self._figure(size - self.half_width), self._figure(size + self.half_width)
        by = f"by {self._figure(size)} ({self.level_in_words} interval {low} to {high})"
        return f"{first} is {self.verdict} than {second} {by}."

    @property
    def level_in_words(self) -> str:
        """The level of the interval, such as 95 %."""
        return f"{100 * self.level:.4g} %"

    def _why_equivalent(self, unit_name: str) -> str:
        if self.mean == 0 and self.half_width == 0:
            return f": no {unit_name} differs"
        chance = self.chances.equivalent
        text = "above 99 %" if 0.99 < chance < 1 else f"{100 * chance:.0f} %"
        return f" within {format_value(self.rope)} (chance {text})"

    def _what_it_takes(self, unit_name: str) -> str:
        if self.n_more is None:
            return f", and no number of further {unit_name}s on the same rows would settle it"
        about = round(float(f"{self.n_more:.2g}"))
        return f"; about {format_count(about)} more {unit_name}{'' if about == 1 else 's'} would be needed"

    def _figure(self, value: float) -> str:
        """To two digits of the half width: those after it are noise."""
        if 0 < self.half_width < math.inf:
            value = round(value, 1 - math.floor(math.log10(self.half_width)))
        return f"−{format_value(-value)}" if value < 0 else format_value(value)


def correlated_posterior(gaps: ArrayLike, overlap: float) -> Posterior:
    """The Bayesian correlated t-test: where the true difference may be, after paired fold scores.

    Training sets of different folds share rows, so gaps correlate, by rho = validation rows over all rows. The
    posterior under the matching (uninformative) prior is a Student t with n - 1 degrees of freedom around the mean and
    variance (1 / n + rho / (1 - rho)) times that of the gaps.

    Args:
        gaps: First minus second by fold, signed so that above 0 the first is better, shape (n,); those that are not
            finite are left out.
        overlap: rho / (1 - rho), validation rows over training rows of a fold, as in `compare_folds`; 0 where gaps are
            independent.

    Raises:
        UsageError: There are fewer than two gaps, or the overlap is not a number of at least 0.

    Source: Corani and Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms on multiple data
    sets; Benavoli, Corani, Demšar and Zaffalon (2017), Time for a Change.
    """
    if not 0 <= overlap < math.inf:
        raise UsageError(f"Validation rows over training rows must be a number of at least 0; got {overlap:g}.")
    done = np.asarray(gaps, dtype=float)
    done = done[np.isfinite(done)]
    if len(done) < 2:
        raise UsageError(f"A verdict needs at least two paired scores; got {len(done)}. Score both arms on more folds.")
    return Posterior(float(done.mean()), float(done.std(ddof=1)), len(done), float(overlap))


def judge(gaps: ArrayLike, overlap: float, rope: float, *, alpha: float = 0.05) -> Judgement:
    """Judges the first against the second by their paired fold scores.

    Equivalent: the chance that the true difference is within the region of practical equivalence is at least 95 %,
    even where it is not 0. Else better or worse: the corrected resampled t-test rejects. Else nobody can tell. Gaps
    that are all equal have no noise and always get a verdict.

    Args:
        gaps: As in `correlated_posterior`, shape (n,).
        overlap: As in `correlated_posterior`.
        rope: Differences up to this size do not matter, in the unit of the gaps; at 0 all do.
        alpha: Level at which the test rejects; lower where several pairs are judged.

    Raises:
        UsageError: There are fewer than two gaps, or another argument is out of its range.

    Source: Nadeau and Bengio (2003), Inference for the generalization error; Benavoli et al. (2017), Time for a Change.
    """
    if not 0 < alpha < 1:
        raise UsageError(f"The level of a test must be between 0 and 1; got {alpha:g}.")
    posterior = correlated_posterior(gaps, overlap)
    return Judgement(
        mean=posterior.mean,
        half_width=posterior.half_width(1 - alpha),
        p_value=posterior.p_value,
        rope=rope,
        chances=posterior.chances(rope),
        verdict=_verdict(posterior, rope, alpha),
        n_more=_n_more(posterior, rope, alpha),
        level=1 - alpha,
    )


def judge_each(gaps: Sequence[ArrayLike], overlap: float, rope: float, *, alpha: float = 0.05) -> tuple[Judgement, ...]:
    """Judges one against several others, with Holm's correction for their number.

    Args:
        gaps: To each of the others, as in `judge`.
        overlap, rope: As in `judge`.
        alpha: Level at which the tests reject together.

    Raises:
        UsageError: As in `judge`.
    """
    levels = holm_levels([correlated_posterior(gap, overlap).p_value for gap in gaps], alpha)
    return tuple(judge(gap, overlap, rope, alpha=float(level)) for gap, level in zip(gaps, levels, strict=True))


def holm(p_values: ArrayLike) -> Floats:
    """Adjusts p-values so that all those below a level may be called significant together at that level.

    Args:
        p_values: Any number, shape (m,); NaN is not counted and stays NaN.

    Raises:
        UsageError: One is not between 0 and 1.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    adjusted = np.array(p_values, dtype=float)
    strange = adjusted[(adjusted < 0) | (adjusted > 1)]
    if len(strange):
        raise UsageError(f"A p-value must be between 0 and 1; got {strange[0]:g}.")
    known = np.flatnonzero(~np.isnan(adjusted))
    order = known[np.argsort(adjusted[known], kind="stable")]
    stepped = adjusted[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def holm_levels(p_values: ArrayLike, alpha: float = 0.05) -> Floats:
    """The level at which each single test rejects where Holm's procedure at `alpha` does, shape (m,).

    The i-th smallest p-value is held against alpha / (m - i + 1); once one is not below, all larger ones are held
    against the same, which they are not below either.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.

    >>> holm_levels([0.01, 0.04, 0.03]).round(4).tolist()
    [0.0167, 0.025, 0.025]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = alpha / np.arange(len(p), 0, -1)
    is_kept = p[order] >= steps
    first = int(np.argmax(is_kept)) if is_kept.any() else len(p) - 1
    levels = np.empty(len(p))
    levels[order] = steps[np.minimum(np.arange(len(p)), first)]
    return levels


def ahead(first: ArrayLike, second: ArrayLike) -> float:
    """Chance that a seed of the first arm is ahead of a seed of the second, equal ones counted half: all pairs.

    Args:
        first, second: Values at one budget by seed, higher is better, shapes (seeds,) and (other seeds,); NaN is left
            out.

    Returns:
        From 0 to 1, 0.5 where neither is ahead; NaN if an arm has no seed.

    Source: Vargha and Delaney (2000), A Critique and Improvement of the CL Common Language Effect Size Statistics.

    >>> ahead([3, 2], [1, 2])
    0.875
    """
    a, b = (values[~np.isnan(values)] for values in (np.asarray(first, dtype=float), np.asarray(second, dtype=float)))
    if not len(a) or not len(b):
        return math.nan
    pairs = a[:, None]
    return float(((pairs > b) + 0.5 * (pairs == b)).mean())


def _verdict(posterior: Posterior, rope: float, alpha: float) -> Verdict:
    if posterior.chances(rope).equivalent >= _SURE:
        return "equivalent"
    if posterior.p_value < alpha:
        return "better" if posterior.mean > 0 else "worse"
    return "cannot tell"


def _n_more(posterior: Posterior, rope: float, alpha: float) -> int | None:
    """By bisection: once there are enough gaps for a verdict, more of the same mean and spread do not undo it."""

    def is_enough(n: int) -> bool:
        return _verdict(replace(posterior, n_gaps=n), rope, alpha) != "cannot tell"

    if is_enough(posterior.n_gaps):
        return 0
    if not is_enough(_MOST_GAPS):
        return None
    too_few, enough = posterior.n_gaps, _MOST_GAPS
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if is_enough(middle) else (middle, enough)
    return enough - posterior.n_gaps


def _check_rope(rope: float) -> None:
    if not 0 <= rope < math.inf:
        raise UsageError(f"The difference that does not matter must be a number of at least 0; got {rope:g}.")
