"""By how much the score of the best of many trials flatters it, and what it is worth on new rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.noise import mean_interval
from hpo_core.analysis.selection import Rows
from hpo_core.formats import format_within
from hpo_core.studies.table import Floats, TrialTable

_STRAPS, _FEWEST_STRAPS, _MOST_CELLS = 1000, 100, 2_000_000
_FILLINGS = 5  # of the folds that trials which lost have not done
_RANKS = 64  # that a resample of trials holds none of the first 64 has a chance of e^-64


@dataclass(frozen=True, slots=True)
class Corrected:
    """The best of some trials without the luck of being picked.

    Attributes:
        raw: Its value.
        value: What it is worth on new rows; never better than `raw`.
        half_width: Half the 95 % interval of that.
        n_trials: Trials that it is the best of.
        n_lost: Those of them that were given up after some of their folds.
        ideal: The value that none can beat, where it is known: the interval ends there.
    """

    raw: float
    value: float
    half_width: float
    n_trials: int
    n_lost: int = 0
    ideal: float | None = None

    @property
    def optimism(self) -> float:
        """How much better the best looks than it is, 0 or above, in the metric's unit."""
        return abs(self.raw - self.value)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval, from low to high."""
        low, high = self.value - self.half_width, self.value + self.half_width
        if self.ideal is None:
            return low, high
        return (low, min(high, self.ideal)) if self.ideal >= self.value else (max(low, self.ideal), high)

    @property
    def words(self) -> str:
        """As it stands beside the raw value: "about 0.985 on new rows"."""
        return f"about {format_within(self.value, self.half_width)} on new rows"


def corrected_best(
    table: TrialTable,
    rows: Rows | None = None,
    *,
    overlap: float | None = None,
    ideal: float | None = None,
    seed: int = 0,
) -> Corrected | None:
    """The best of the trials, or of those among some rows, corrected for having been picked.

    A bootstrap over folds and trials: each resample of the folds picks the best of a resample of the trials, which is
    then looked at on the folds that the resample left out. The mean gap between the two looks is what picking gained by
    luck; how hard a fold is cancels out, as scores are taken from the fold's median. With some folds twice in it, a
    resample of k folds is as noisy as k^2 / (2k - 1) of them, so the gap is shrunk by the root of k / (2k - 1). The
    interval is that of a mean of fold scores with training rows in common, around the corrected value.

    A trial that lost a race was a candidate, too: it might have been picked on other folds. The folds that it has not
    done are filled in several times, from what is known of trial and fold and from the noise of the whole trials.
    Trials that were cut short in epochs or rows are left out, as their scores do not compare.

    Source: Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation (BBC-CV), over fold scores, as no predictions are kept, and over the trials, too; Nadeau
    and Bengio (2003), Inference for the generalization error; Rubin (1987), Multiple Imputation for Nonresponse in
    Surveys. How near it comes to the truth: `bench_optimism.py`.

    Args:
        table: The study.
        rows: Whose best; all by default.
        overlap: Validation rows over training rows of a fold, see `compare_folds`; by default that of k folds.
        ideal: The value that none can beat, see `ideal_score`.
        seed: Of the resamples.

    Returns:
        None with fewer than two trials with all folds, or two folds, to go by.
    """
    is_candidate = table.is_complete | table.is_estimated
    candidates = np.flatnonzero(is_candidate) if rows is None else rows[is_candidate[rows]]
    scores, is_lost = table.fold_scores[candidates], table.is_estimated[candidates]
    usable = np.isfinite(scores).all(axis=1) | is_lost
    return corrected_scores(scores[usable], sign=table.sign, overlap=overlap, ideal=ideal, seed=seed)


def corrected_scores(
    scores: Floats, *, sign: float, overlap: float | None = None, ideal: float | None = None, seed: int = 0
) -> Corrected | None:
    """`corrected_best` of plain fold scores, shape (n, k).

    Scores are NaN where a trial had lost before; the sign is -1 where higher is better.
    """
    (n_trials, n_folds), is_whole = scores.shape, np.isfinite(scores).all(axis=1)
    whole = scores[is_whole]
    if len(whole) < 2 or n_folds < 2:
        return None
    own = whole[int(np.argmin((sign * whole).mean(axis=1)))]
    raw = float(own.mean())
    rng = np.random.default_rng(seed)
    filled = [scores] if is_whole.all() else [_filled(scores, rng) for _ in range(_FILLINGS)]
    gap = float(np.mean([_gap(sign * one, seed) for one in filled]))
    optimism = max(0.0, gap * math.sqrt(n_folds / (2 * n_folds - 1)))
    shared = 1 / (n_folds - 1) if overlap is None else overlap
    half_width = mean_interval(own, overlap=shared)
    return Corrected(raw, raw + sign * optimism, half_width, n_trials, n_trials - len(whole), ideal)


def _filled(scores: Floats, rng: np.random.Generator) -> Floats:
    """Scores with what a trial might have scored where it was given up.

    A score is what the trial is worth, plus what the fold does to all trials, plus noise, by least squares over the
    scores that are there: so later folds, which only good trials have done, are not taken for easy ones. The noise is
    drawn from that of the whole trials, and the worth of a trial as uncertain as its few folds leave it.
    """
    is_there, is_whole = np.isfinite(scores), np.isfinite(scores).all(axis=1)
    weights = is_there / is_there.sum(axis=1, keepdims=True)
    known = np.where(is_there, scores, 0.0)
    means = (weights * known).sum(axis=1, keepdims=True)
    # The normal equations without the trials' worths, whose solution of least length has a mean of 0.
    equations = np.diag(is_there.sum(axis=0)) - weights.T @ is_there
    fold = np.linalg.lstsq(equations, (is_there * (known - means)).sum(axis=0), rcond=None)[0]
    worth = means - (weights @ fold)[:, None]
    n_folds = scores.shape[1]
    noise = (scores - worth - fold)[is_whole].ravel() * math.sqrt(n_folds / (n_folds - 1))
    error = noise.std() / np.sqrt(is_there.sum(axis=1, keepdims=True))
    drawn = worth + error * rng.standard_normal(worth.shape) + fold + rng.choice(noise, size=scores.shape)
    return np.where(is_there, scores, drawn)


def _gap(scores: Floats, seed: int) -> float:
    """Mean gap between what was picked on the folds left out and on those it was picked by; lower scores are better.

    The mean over the resamples of the trials is exact: one of n trials with replacement holds none of the first j
    ranks with chance (1 - j / n)^n, and else picks the first that it holds.
    """
    (n_trials, n_folds), rng = scores.shape, np.random.default_rng(seed)
    drawn, weights = _fold_resamples(n_folds, max(_FEWEST_STRAPS, min(_STRAPS, _MOST_CELLS // n_trials)), rng)
    scores = (scores - np.median(scores, axis=0)).T
    inside = drawn @ scores / n_folds
    is_left_out = (drawn == 0).astype(float)
    outside = is_left_out @ scores / is_left_out.sum(axis=1, keepdims=True)
    ranked = _first_ranks(inside)
    picked = -np.diff((1 - np.arange(ranked.shape[1] + 1) / n_trials) ** n_trials)
    gaps = np.take_along_axis(outside - inside, ranked, axis=1) @ picked
    return float(np.average(gaps, weights=weights))


def _fold_resamples(n_folds: int, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """How often each fold is in a resample that leaves one out at least, and how often that resample came up."""
    drawn = rng.multinomial(n_folds, np.full(n_folds, 1 / n_folds), size=n).astype(float)
    drawn = drawn[(drawn == 0).any(axis=1)]
    _, first, times = np.unique(drawn @ rng.random(n_folds), return_index=True, return_counts=True)
    return drawn[first], times.astype(float)


def _first_ranks(signed: Floats) -> Rows:
    """Columns of the lowest values of each row, the lowest first."""
    if signed.shape[1] <= _RANKS:
        return signed.argsort(axis=1, kind="stable")
    lowest = np.argpartition(signed, _RANKS, axis=1)[:, :_RANKS]
    order = np.take_along_axis(signed, lowest, axis=1).argsort(axis=1, kind="stable")
    return np.take_along_axis(lowest, order, axis=1)
