"""Learning and validation curves of one configuration, and what they say about over- and underfitting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hpo_core.analysis.noise import Difference, compare_folds, mean_interval
from hpo_core.formats import format_score, format_signed, format_value
from hpo_core.studies.table import Direction, Floats

Kind = Literal["learning", "validation"]

_EXPONENTS = np.linspace(0.05, 2.0, 40)
_N_RESAMPLES = 400
_FEWEST_SIZES = 4
_INTERVAL = (0.05, 0.95)
_MOST_OF_IT = 0.5
_STANDARD_ERROR = 0.4  # of the half-width of a 95 % interval, roughly: with five folds 0.36


def fold_means(scores: Floats) -> Floats:
    """Mean of the folds that are done at each place, shape (m,); NaN without any. Scores have shape (m, k)."""
    done = np.isfinite(scores)
    counts = done.sum(axis=1)
    means: Floats = np.where(done, scores, 0.0).sum(axis=1) / np.where(counts > 0, counts, np.nan)
    return means


def fold_spread(scores: Floats) -> Floats:
    """Standard deviation over the folds that are done (n - 1), shape (m,); NaN with fewer than two."""
    done = np.isfinite(scores)
    counts = done.sum(axis=1)
    squares = np.where(done, scores - fold_means(scores)[:, None], 0.0) ** 2
    spread: Floats = np.sqrt(squares.sum(axis=1) / np.where(counts > 1, counts - 1, np.nan))
    return spread


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Scores of m places over k folds: NaN where a fit is not done, or failed.

    Attributes:
        kind: Over growing numbers of training rows, or over the values of one parameter.
        label: What the places are, as a person reads it.
        places: Training rows, or values of the parameter, in order; length m.
        is_log: Whether they lie evenly on a log scale.
        is_ordered: Whether there is an order: not among categories.
        chosen: Place of the chosen configuration, on all of its rows.
        train, valid: Scores on training rows and on new ones, shape (m, k).
        direction: Of the metric.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        ideal: The score that none can beat; None where it is not known.
    """

    kind: Kind
    label: str
    places: tuple[Any, ...]
    is_log: bool
    is_ordered: bool
    chosen: int
    train: Floats
    valid: Floats
    direction: Direction
    overlap: float
    ideal: float | None

    @property
    def sign(self) -> float:
        """+1 where lower is better, -1 where higher is better."""
        return 1.0 if self.direction == "minimize" else -1.0

    @property
    def train_means(self) -> Floats:
        """Mean over the folds that are done, shape (m,); NaN without any."""
        return fold_means(self.train)

    @property
    def valid_means(self) -> Floats:
        return fold_means(self.valid)

    def compare(self, first: int, second: int) -> Difference:
        """The validation scores of two places on the same folds."""
        higher = self.direction == "maximize"
        return compare_folds(self.valid[first], self.valid[second], is_higher_better=higher, overlap=self.overlap)

    def gap(self, place: int) -> Difference:
        """Training less validation score on the same folds, positive where new rows score worse."""
        higher = self.direction == "maximize"
        found = compare_folds(self.train[place], self.valid[place], is_higher_better=higher, overlap=self.overlap)
        return Difference(-self.sign * found.mean, found.half_width, found.verdict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a learning curve comes to with twice the rows.

    Attributes:
        rows: So many.
        score: The expected score.
        low, high: Ends of its 90 % interval, by resampling the folds; a few folds make it too narrow.
    """

    rows: int
    score: float
    low: float
    high: float


def forecast(curve: Curve, *, seed: int = 0) -> Forecast | None:
    """The score of twice as many rows by a power law; None with fewer than four sizes, or without a fold done at all.

    The loss is taken to be a + b n^-c with b at least 0, as it is for most learners on most data; a stays on the worse
    side of the ideal score where that is known.

    Source: Cortes et al. (1993), Learning Curves: Asymptotic Values and Rate of Convergence; Perlich, Provost and
    Simonoff (2003), Tree Induction vs. Logistic Regression: A Learning-Curve Analysis; Domhan, Springenberg and Hutter
    (2015), Speeding up Automatic Hyperparameter Optimization of Deep Neural Networks by Extrapolation of Learning
    Curves, model pow3.
    """
    done = np.isfinite(curve.valid).all(axis=0)
    if curve.kind != "learning" or len(curve.places) < _FEWEST_SIZES or not done.any():
        return None
    sizes = np.array(curve.places, dtype=float)
    losses = curve.sign * curve.valid[:, done]
    rng, k = np.random.default_rng(seed), losses.shape[1]
    drawn = losses[:, rng.integers(k, size=(_N_RESAMPLES, k))].mean(axis=2)
    floor = -math.inf if curve.ideal is None else curve.sign * curve.ideal
    rows = 2 * int(sizes[-1])
    reached = power_law(sizes, np.column_stack([losses.mean(axis=1), drawn]), rows, floor)
    low, high = np.sort(curve.sign * np.quantile(reached[1:], _INTERVAL))
    return Forecast(rows, float(curve.sign * reached[0]), float(low), float(high))


def power_law(sizes: Floats, losses: Floats, at: float, floor: float = -math.inf) -> Floats:
    """The value at a size of the power laws a + b n^-c that fit losses best by least squares, shape (curves,).

    Args:
        sizes: Numbers of rows n, shape (m,).
        losses: Shape (m, curves), lower being better.
        at: Where the value is asked.
        floor: The least that a can be.
    """
    best: Floats = losses[-1].copy()
    errors = np.full(losses.shape[1], np.inf)
    centre = losses.mean(axis=0)
    for exponent in _EXPONENTS:
        x = sizes**-exponent
        spread = x - x.mean()
        slope = np.maximum(spread @ (losses - centre) / (spread @ spread), 0.0)
        start = np.maximum(centre - slope * x.mean(), floor)
        held = start > centre - slope * x.mean()  # where the floor holds a up, b alone is fitted
        slope = np.where(held, np.maximum(x @ (losses - start) / (x @ x), 0.0), slope)
        error = ((losses - start - x[:, None] * slope) ** 2).sum(axis=0)
        is_better = error < errors
        best = np.where(is_better, start + slope * at**-exponent, best)
        errors = np.where(is_better, error, errors)
    return best


def in_words(curve: Curve) -> tuple[str, ...]:
    """What a curve says, in sentences; one that says so while there is too little of it."""
    if not np.isfinite(curve.valid_means).any():
        return ("No fit of this curve gave a score.",)
    if not np.isfinite(curve.valid_means[curve.chosen]):
        return ("The fits of the chosen configuration gave no score, so there is nothing to compare with.",)
    parts = _learning(curve) if curve.kind == "learning" else _validation(curve)
    return tuple(part for part in parts if part)


def _learning(curve: Curve) -> list[str]:
    known = np.flatnonzero(np.isfinite(curve.valid_means))
    last = curve.chosen
    earlier = known[(known < last)]
    if not len(earlier):
        return ["One size alone says nothing about more rows.", _gap_words(curve, last)]
    rows = np.array(curve.places, dtype=float)
    half = int(earlier[np.argmin(np.abs(np.log(2 * rows[earlier] / rows[last])))])
    step, ahead = curve.compare(last, half), forecast(curve)
    span = f"from {format_value(curve.places[half])} to {format_value(curve.places[last])} rows the score"
    size = f"{format_signed(step.mean)}{_half_width(step)}"
    moved = f"{span} changed by {size}"
    head = {
        "better": f"More rows would help: {span} still got better ({size}).",
        "worse": f"More rows made it worse: {moved}.",
        "tie": f"{_level(curve, ahead, step)}: {moved}, within noise.",
        "unknown": f"{_begun(moved)}; one fold alone does not say whether that is more than noise.",
    }[step.verdict]
    return [head, _ahead_words(ahead), _gap_words(curve, last)]


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _level(curve: Curve, ahead: Forecast | None, step: Difference) -> str:
    """Whether a curve whose last step is within noise has levelled off, or its whole course points on: by more than
    about a standard error of that step, and with all of the forecast's interval."""
    if ahead is None:
        return "It has levelled off"
    now = curve.sign * float(curve.valid_means[curve.chosen])
    gains = now - curve.sign * np.array([ahead.low, ahead.score, ahead.high])
    is_on = gains.min() > 0 and gains[1] > _STANDARD_ERROR * step.half_width
    return "More rows may help a little" if is_on else "It has levelled off"


def _ahead_words(ahead: Forecast | None) -> str:
    if ahead is None:
        return ""
    interval = f"90 % interval {format_score(ahead.low)} to {format_score(ahead.high)}"
    return (
        f"With {format_value(ahead.rows)} rows expect about {format_score(ahead.score)} ({interval}, by a power law)."
    )


def _gap_words(curve: Curve, place: int) -> str:
    """The gap at one place, and whether it or the error on the training rows is most of what is lost."""
    gap = curve.gap(place)
    if not math.isfinite(gap.mean):
        return ""
    if gap.verdict in ("tie", "unknown") or gap.mean <= 0:
        return "There is no gap beyond noise between training rows and new ones: it does not overfit."
    size = f"The gap between training rows and new ones is {_short(gap.mean)}{_half_width(gap)}"
    if curve.ideal is None:
        return f"{size}."
    lost = abs(float(curve.valid_means[place]) - curve.ideal)
    share = gap.mean / lost if lost > 0 else 0.0
    part = f"{100 * min(share, 1.0):.0f} % of what is lost"
    if share > _MOST_OF_IT:
        return f"{size}, {part}: it overfits, and more rows or a simpler fit may help."
    rest = "the rest is lost on its own training rows: it underfits, or the data are noisy"
    return f"{size}, {part}; {rest}."


def _validation(curve: Curve) -> list[str]:
    means = curve.sign * curve.valid_means
    best = int(np.nanargmin(means))
    at = _place(curve, best)
    score = f"{format_score(float(curve.valid_means[best]))}{_interval(curve, best)}"
    parts = []
    if best == curve.chosen:
        parts.append(f"The chosen value, {at}, is the best of these: {score}.")
    else:
        found = curve.compare(curve.chosen, best)
        tied = found.verdict in ("tie", "unknown")
        chosen = f"{_place(curve, curve.chosen)} ({format_signed(found.mean)}{_half_width(found)})"
        parts.append(f"Best is {at} with {score}; the chosen {chosen} is {'tied with it' if tied else 'worse'}.")
    if curve.is_ordered:
        parts += [_tied_span(curve, best), _side(curve, best, -1), _side(curve, best, 1), _at_end(curve, best)]
    return parts


def _tied_span(curve: Curve, best: int) -> str:
    """Between which values it makes no difference."""
    ends = []
    for step in (-1, 1):
        place = best
        while 0 <= place + step < len(curve.places) and curve.compare(place + step, best).verdict == "tie":
            place += step
        ends.append(place)
    low, high = ends
    if low == high:
        return ""
    if (low, high) == (0, len(curve.places) - 1):
        return "Over all of these values the score does not change beyond noise."
    return f"From {_place(curve, low)} to {_place(curve, high)} the score does not change beyond noise."


def _side(curve: Curve, best: int, step: int) -> str:
    """What happens towards one end of the range: overfitting, underfitting, or neither that can be told."""
    known = np.flatnonzero(np.isfinite(curve.valid_means))
    end = int(known[0] if step < 0 else known[-1])
    if end == best or curve.compare(end, best).verdict != "worse":
        return ""
    where = f"Towards {_place(curve, end)}"
    loss = _short(abs(float(curve.valid_means[end] - curve.valid_means[best])))
    if not np.isfinite(curve.train_means[[end, best]]).all():
        return f"{where} it loses {loss}."
    fit = curve.sign * (curve.train_means[best] - curve.train_means[end])  # above 0: closer than at the best
    closer = compare_folds(
        curve.train[end], curve.train[best], is_higher_better=curve.direction == "maximize", overlap=curve.overlap
    )
    widened = curve.gap(end).mean - curve.gap(best).mean
    if closer.verdict == "worse" and fit < 0 and -fit >= widened:
        return f"{where} it scores worse on its training rows too, and loses {loss} on new ones: it underfits."
    if widened > 0:
        return f"{where} the gap widens by {_short(widened)}, and it loses {loss} on new rows: it overfits."
    return f"{where} it loses {loss} on new rows."


def _at_end(curve: Curve, best: int) -> str:
    if best not in (0, len(curve.places) - 1):
        return ""
    return "The best lies at the end of the range: better values may lie outside."


def _place(curve: Curve, place: int) -> str:
    value = curve.places[place]
    return f"{curve.label} = {format_value(float(f'{value:.3g}') if isinstance(value, float) else value)}"


def _interval(curve: Curve, place: int) -> str:
    half = mean_interval(curve.valid[place], overlap=curve.overlap)
    return f" ± {_short(half)} (95 %)" if math.isfinite(half) else ""


def _half_width(difference: Difference) -> str:
    return f" ± {_short(difference.half_width)}" if math.isfinite(difference.half_width) else ""


def _short(figure: float) -> str:
    return format_value(float(f"{figure:.2g}"))
