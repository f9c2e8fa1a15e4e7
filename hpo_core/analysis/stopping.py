"""Whether a search is worth going on with: the expected gain of more trials against the noise of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hpo_core.analysis.gain import Gain, gain_by_extremes, gain_by_model
from hpo_core.analysis.surrogate import Surrogate, fit_surrogate, why_no_surrogate
from hpo_core.errors import UsageError
from hpo_core.formats import format_count, format_seconds, format_value
from hpo_core.methods import METHODS
from hpo_core.studies.table import TrialTable

Verdict = Literal["go on", "stop", "cannot tell"]
StopsWhen = Literal["noise"] | float | None

N_MORE = 20
FEWEST = 12
_LEAST_QUALITY = 0.2
_N_NOISE, _N_PACE, _PAUSE = 5, 20, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAdvice:
    """A forecast with its verdict. Gains are at least 0 and in the metric's unit, whichever direction is better.

    Attributes:
        verdict: `stop` when the expected gain is below `smallest`.
        evidence: One sentence: the figures behind the verdict, and what going on would cost.
        n_more: How many trials more it is about.
        n_trials: Trials that it was drawn from: complete, or lost a race between their folds.
        gain: The expected gain; None where it cannot be told. Its 90 % interval is in it.
        noise: Standard error of the value of the best; NaN without folds to tell it from.
        smallest: The gain that is worth going on for.
        seconds: What so many trials would take; NaN where unknown.
        basis: What was asked: "model" or "best values"; "" where nothing was.
    """

    verdict: Verdict
    evidence: str
    n_more: int
    n_trials: int
    gain: Gain | None = None
    noise: float = math.nan
    smallest: float = math.nan
    seconds: float = math.nan
    basis: Literal["model", "best values", ""] = ""


def why_no_stop(stops_when: StopsWhen) -> str | None:
    """The sentence why a run cannot stop on this, or None."""
    is_number = isinstance(stops_when, (int, float)) and not isinstance(stops_when, bool)
    if stops_when in (None, "noise") or (is_number and 0 < float(stops_when) < math.inf):
        return None
    return f"What a search stops at must be noise, or the smallest gain as a number above 0; got {stops_when}."


def stop_advice(
    table: TrialTable,
    method: str,
    *,
    stops_when: StopsWhen = "noise",
    overlap: float = 0.0,
    ideal: float | None = None,
    n_more: int = N_MORE,
) -> StopAdvice:
    """The advice on a search by a method, from the trials so far.

    Args:
        table: The study.
        method: Key of the method that would go on.
        stops_when: Below which gain to stop: below the "noise" of the best (also for None), or below this figure.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        ideal: The value that none can beat, if known: it bounds the gain.
        n_more: How many trials would come.

    Raises:
        UsageError: No trial would come.

    Source: Makarova et al. (2022), Automatic Termination for Hyperparameter Optimization: stop when what can still be
    gained is below the standard error of the incumbent's cross-validation, as corrected by Nadeau and Bengio (2003).
    """
    if n_more < 1:
        raise UsageError(f"Advice is about one more trial at least; got {n_more}.")
    usable = table.is_complete & np.isfinite(table.values)
    n_trials = int(table.is_learnable.sum())
    fewest = max(FEWEST, 2 * len(table.params))
    noise, seconds = noise_of_best(table, overlap), n_more * _seconds_of_trial(table)
    if n_trials < fewest:
        evidence = f"Too few trials to tell: {format_count(n_trials)} with a value, and it takes {fewest}"
        evidence += f"{_cost(seconds, f'; {format_count(n_more)} more would')}."
        return StopAdvice(
            verdict="cannot tell", evidence=evidence, n_more=n_more, n_trials=n_trials, noise=noise, seconds=seconds
        )
    learns = method not in METHODS or METHODS[method].capabilities.learns
    surrogate = _good_surrogate(table) if learns else None
    room = (
        math.inf
        if ideal is None
        else max(0.0, float((table.sign * (table.values[usable] - ideal)).min(initial=math.inf)))
    )
    by_model = None if surrogate is None else gain_by_model(surrogate, n_more, room=room)
    gain = by_model or gain_by_extremes(_signed(table, method), n_more, room=room)
    smallest = noise if stops_when in (None, "noise") else float(stops_when)
    is_noise = stops_when in (None, "noise")
    beside = "" if is_noise or math.isnan(noise) else f" (the noise of the best is {_short(noise)})"
    return StopAdvice(
        verdict=_verdict(gain, smallest),
        evidence=_evidence(gain, smallest, seconds, n_more, is_noise=is_noise, beside=beside),
        n_more=n_more,
        n_trials=n_trials,
        gain=gain,
        noise=noise,
        smallest=smallest,
        seconds=seconds,
        basis="model" if by_model else "best values",
    )


def noise_of_best(table: TrialTable, overlap: float) -> float:
    """Standard error of the value of the best trial, from how its folds differ; NaN with fewer than two folds.

    Pooled over the best five trials, as few folds tell little of their own spread.
    """
    rows = np.flatnonzero(table.is_complete & np.isfinite(table.values) & np.isfinite(table.noise))
    if not len(rows):
        return math.nan
    best = rows[np.argsort(table.sign * table.values[rows], kind="stable")[:_N_NOISE]]
    n_folds = np.isfinite(table.fold_scores[best]).sum(axis=1).min()
    return float(np.sqrt((table.noise[best] ** 2).mean() * (1 / n_folds + overlap)))


def _good_surrogate(table: TrialTable) -> Surrogate | None:
    """A model of the study; None where it tells no trial from another."""
    if why_no_surrogate(table) is not None:
        return None
    surrogate = fit_surrogate(table, warp="yeo_johnson")
    return surrogate if surrogate.quality.r2 >= _LEAST_QUALITY else None


def _signed(table: TrialTable, method: str) -> np.ndarray:
    """Values of the trials of this method, or of all where it has made few; lower is better."""
    usable = table.is_learnable
    own = usable & (table.arms == method)
    signed: np.ndarray = table.sign * table.values[own if own.sum() >= FEWEST else usable]
    return signed


def _seconds_of_trial(table: TrialTable) -> float:
    """From the end of one of the latest trials to that of the next, pauses left out; NaN where no times are known."""
    ends = np.sort(table.completed[np.isfinite(table.completed)])[-_N_PACE:]
    gaps = np.diff(ends)
    usual = gaps[gaps <= _PAUSE * np.median(gaps)] if len(gaps) else gaps
    return float(usual.mean()) if len(usual) else math.nan


def _verdict(gain: Gain, smallest: float) -> Verdict:
    if not smallest > 0:
        return "cannot tell"
    return "stop" if gain.expected < smallest else "go on"


def _cost(seconds: float, who: str) -> str:
    return f"{who} take about {format_seconds(seconds)}" if math.isfinite(seconds) else ""


def _evidence(gain: Gain, smallest: float, seconds: float, n_more: int, *, is_noise: bool, beside: str) -> str:
    cost = _cost(seconds, f"; {'it' if n_more == 1 else 'they'} would")
    expected = f"{format_count(n_more, 'more trial')} {'is' if n_more == 1 else 'are'} expected to gain "
    expected += f"{_short(gain.expected)} (90 % interval {_short(gain.low)} to {_short(gain.high)})"
    if not smallest > 0:
        return (
            f"{expected}, but one look at each trial shows no noise to compare that with{cost}: name a smallest gain."
        )
    relation = "less than" if gain.expected < smallest else "not less than"
    what = "the noise of the best score" if is_noise else "the gain that you look for"
    return f"{expected}, {relation} {what}, {_short(smallest)}{beside}{cost}."


def _short(figure: float) -> str:
    return format_value(float(f"{figure:.2g}"))
