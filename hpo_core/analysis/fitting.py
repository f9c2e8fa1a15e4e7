"""Whether the trials fit their training rows too closely or not closely enough, by training and validation scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.analysis.optimism import corrected_best
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.stopping import noise_of_best
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.studies.table import Floats, TrialTable

FEWEST = 5
_SURE = 2.0  # standard errors


@dataclass(frozen=True, slots=True)
class Group:
    """Trials that fit their training rows closer than the best one, or less closely.

    Attributes:
        count: How many.
        loss: By how much they do worse than the best on new rows, in the median and its luck taken off; NaN for none.
            At least 0.
    """

    count: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FitDiagnosis:
    """How closely the best trial fits, beside those that fit closer or less closely. Losses are in the metric's unit.

    Attributes:
        row: The best trial of those with scores on training rows.
        train, value: Its score on training rows and on new ones.
        gap: Of its training score to its validation score, on the same folds; positive where new rows score worse.
        noise: Standard error of its value.
        closer, looser: The trials whose training score is better, or worse, than its own beyond the noise of such
            scores.
    """

    row: int
    train: float
    value: float
    gap: Difference
    noise: float
    closer: Group
    looser: Group

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it comes to: the gap, those that fit closer, those that fit less closely, and the verdict."""
        parts = [self._gap(), _said(self.closer, self.noise, "closer", "they overfit")]
        parts.append(_said(self.looser, self.noise, "less closely", "they underfit"))
        return (*parts, *([verdict] if (verdict := self._verdict()) else []))

    def _gap(self) -> str:
        scores = f"{format_score(self.train)} on its training rows and {format_score(self.value)} on new ones"
        if self.gap.verdict in ("tie", "unknown"):
            return f"The best trial scores {scores}: no gap beyond noise."
        size = f"{_short(self.gap.mean)} ± {_short(self.gap.half_width)}"
        where = "a gap of" if self.gap.mean > 0 else "better on new rows by"
        return f"The best trial scores {scores}: {where} {size.removeprefix('-')} (95 % interval)."

    def _verdict(self) -> str:
        closer, looser = (_loses(group, self.noise) for group in (self.closer, self.looser))
        if closer and looser:
            return "So it fits about as closely as it should."
        if looser is False and closer is not False:
            return "So a simpler fit would do as well."
        return ""


def why_no_diagnosis(table: TrialTable) -> str | None:
    """The sentence why nothing can be said about how closely the trials fit, or None."""
    if not (table.is_complete & np.isfinite(table.values)).any():
        return "No trial has a value yet. How closely they fit shows as soon as one has finished."
    if not len(fitted_rows(table)):
        return (
            "No finished trial has a score on its training rows. Landscapes have no rows, and other programs do not "
            "record it."
        )
    return None


def fitted_rows(table: TrialTable) -> Rows:
    """Finished trials with a value and a score on their training rows."""
    return np.flatnonzero(table.is_complete & np.isfinite(table.values) & np.isfinite(table.mean_of("train_scores")))


def diagnosis(table: TrialTable, overlap: float) -> FitDiagnosis:
    """How closely the best trial fits, and what those that fit closer or less closely lose on new rows.

    Overfitting is a closer fit that scores worse on new rows, and underfitting a looser one that does: a gap alone is
    neither, as the best trial may well have one. What the best owes to luck is taken
    off, or the others would lose even where nothing differs.

    Args:
        table: A study of which `why_no_diagnosis` is None.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.

    Source: Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, section 7.2.
    """
    rows = fitted_rows(table)
    signed, train = table.sign * table.values[rows], table.sign * table.mean_of("train_scores")[rows]
    best = int(np.argmin(signed))
    row = int(rows[best])
    scores, own = table.fold_scores[row], table.train_scores[row]
    gap = compare_folds(own, scores, is_higher_better=table.direction == "maximize", overlap=overlap)
    spread = _noise_of_training(table.train_scores[rows])
    corrected = corrected_best(table)
    loss = signed - signed[best] - (0.0 if corrected is None else corrected.optimism)
    return FitDiagnosis(
        row=row,
        train=float(table.sign * train[best]),
        value=float(table.values[row]),
        gap=Difference(-table.sign * gap.mean, gap.half_width, gap.verdict),
        noise=noise_of_best(table, overlap),
        closer=_group(loss[train < train[best] - spread]),
        looser=_group(loss[train > train[best] + spread]),
    )


def _noise_of_training(scores: Floats) -> float:
    """Twice the standard error of the difference of two mean training scores, by the usual spread over folds; 0 where
    single folds tell none."""
    done = np.isfinite(scores)
    counts = done.sum(axis=1)
    means = np.where(done, scores, 0.0).sum(axis=1) / counts
    squares = np.where(done, scores - means[:, None], 0.0) ** 2
    variances = squares.sum(axis=1)[counts > 1] / (counts[counts > 1] - 1)
    return float(2 * np.sqrt(np.median(variances) * 2 / np.median(counts))) if len(variances) else 0.0


def _group(losses: Floats) -> Group:
    return Group(len(losses), max(0.0, float(np.median(losses))) if len(losses) else math.nan)


def _loses(group: Group, noise: float) -> bool | None:
    """Whether the group does worse beyond noise; None where that cannot be told."""
    return None if group.count < FEWEST or math.isnan(noise) else group.loss > _SURE * noise


def _said(group: Group, noise: float, how: str, verdict: str) -> str:
    if group.count < FEWEST:
        few = f"Only {format_count(group.count)} {'fits' if group.count == 1 else 'fit'} {how}: too few to tell."
        return few if group.count else f"No trial fits {how}."
    who = f"The {format_count(group.count, 'trial')} that fit {how}"
    lose = f"{who} lose {_short(group.loss)} on new rows in the median"
    if _loses(group, noise):
        return f"{lose}: {verdict}."
    if math.isnan(noise):
        return f"{lose}; without folds nothing says whether that is much."
    return f"{who} do as well on new rows within noise."


def _short(figure: float) -> str:
    return format_value(float(f"{figure:.2g}"))
