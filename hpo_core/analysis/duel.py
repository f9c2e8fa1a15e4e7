"""What a duel says: who is ahead at which budget, and who won, or that it cannot be told, with the evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hpo_core.analysis.judgement import Judgement, ahead, judge_each
from hpo_core.analysis.study_comparison import fold_scores_without_luck
from hpo_core.formats import format_list, format_score
from hpo_core.studies.table import Floats, TrialTable

FEWEST = 5  # fold scores; of fewer, some agree by chance
_GRID = 200
_SHARE = 0.01
_MOST_NAMED = 6  # arms that a headline names


@dataclass(frozen=True)
class Side:
    """An arm as the judge sees it.

    Attributes:
        label: Its name.
        tables: Of its searches, one for each seed.
        finals: Scores of what each search chose, on fresh folds, shape (k,) each; empty where there are none.
        is_default: Whether it is the default configuration alone.
    """

    label: str
    tables: tuple[TrialTable, ...]
    finals: tuple[tuple[float, ...], ...] = ()
    is_default: bool = False

    @property
    def best_found(self) -> float:
        """Mean over the seeds of the best value that each has found; NaN without any."""
        best = [float(table.values[row]) for table in self.tables if (row := table.best()) is not None]
        return float(np.mean(best)) if best else math.nan


@dataclass(frozen=True, eq=False)
class Curve:
    """Best so far over a budget, as mean and 95 % interval over the seeds; NaN before the first value of every seed.

    Attributes:
        x: Budgets, shape (n,).
        values: Of each seed, shape (seeds, n).
        mean, low, high: Shape (n,); without several seeds all three are the same.
    """

    x: Floats
    values: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Pair:
    """Two arms against each other; above 0 the first is better, whichever direction the metric has."""

    first: int
    second: int
    judgement: Judgement


@dataclass(frozen=True)
class Outcome:
    """The verdict.

    Attributes:
        sentences: In plain words, the most important first.
        order: Arms that have a score, best mean first.
        means: Mean score of each arm, in the metric's unit; NaN where it has none.
        pairs: The leader against each other arm.
        is_final: Whether it goes by fresh folds; else by the folds of the searches, without the luck of picking.
        rope: Differences up to here count as none.
        is_by_seed: Whether it goes by the best value of each seed, as where there is nothing like a fold.
    """

    sentences: tuple[str, ...]
    order: tuple[int, ...]
    means: tuple[float, ...]
    pairs: tuple[Pair, ...]
    is_final: bool
    rope: float
    is_by_seed: bool = False


def spent(table: TrialTable, kind: str) -> Floats:
    """What had been spent when each finished trial ended, in trials, fits or seconds of fitting, shape (n,).

    Trials that have not ended are NaN.
    """
    ended = table.is_finished
    if kind == "trials":
        each = ended.astype(float)
    elif kind == "fits":
        each = np.where(ended, np.maximum(np.isfinite(table.fold_scores).sum(axis=1), 1), 0).astype(float)
    else:
        each = np.where(ended, np.nansum(table.fit_seconds, axis=1) + np.nansum(table.predict_seconds, axis=1), 0.0)
    return np.where(ended, np.cumsum(each), np.nan)


def time_played(table: TrialTable) -> Floats:
    """Seconds from the moment at which a person began to the end of each of their trials, shape (n,).

    Pauses count: a clock on the wall cannot tell thinking from coffee.
    """
    known = table.started[np.isfinite(table.started)]
    return table.completed - (float(known.min()) if len(known) else math.nan)


def curve(side: Side, kind: str, end: float) -> Curve:
    """Best so far of an arm at budgets from 0 to `end` of a kind: trials, fits, or seconds of fitting."""
    n = int(min(_GRID, end)) if kind == "trials" else _GRID
    x = np.linspace(0.0, end, n + 1)[1:] if kind != "trials" else np.unique(np.linspace(1, end, max(n, 1)).round())
    values = np.array([_best_at(table, kind, x) for table in side.tables])
    mean = values.mean(axis=0)
    if len(values) < 2:
        return Curve(x, values, mean, mean, mean)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return Curve(x, values, mean, mean - half, mean + half)


def chance_ahead(first: Curve, second: Curve, sign: float) -> Floats:
    """Chance that a search of the first arm is ahead of one of the second, at each budget; ties count half."""
    return np.array([ahead(-sign * a, -sign * b) for a, b in zip(first.values.T, second.values.T, strict=True)])


def practical_equivalence(reference: float, *, is_share: bool) -> float:
    """Half-width of the region in which nobody would mind a difference: a hundredth of the scale.

    Args:
        reference: A typical value, such as that of the default.
        is_share: Whether the metric lies between 0 and 1; its scale is 1 then, else the reference.

    Source: Benavoli, Corani, Demsar and Zaffalon (2017), Time for a Change: one per cent of accuracy.
    """
    return _SHARE if is_share or not math.isfinite(reference) or reference == 0 else _SHARE * abs(reference)


def outcome(sides: Sequence[Side], *, overlap: float, rope: float, remedy: str = "") -> Outcome:
    """The verdict on the arms, from what is there: fresh folds if all have them, else the folds of the searches.

    Values without folds, such as exact heights, are compared by seed where all methods have seeds enough.

    Args:
        sides: The arms, at least one with a finished trial; those without tables are left out.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        rope: Half-width of the region of practical equivalence, in the metric's unit.
        remedy: What would make a verdict possible where there are too few scores.

    The leader is held against each other arm by the corrected resampled t-test on the same folds, with Holm's
    correction; scores are means over an arm's seeds. See `judge`.
    """
    there = [side for side in sides if side.tables]
    sign = there[0].tables[0].sign
    is_final = all(side.finals and all(side.finals) for side in there)
    by_seed = None if is_final else _scores_by_seed(sides)
    scores = [_scores(side, is_final) for side in sides] if by_seed is None else by_seed
    means = tuple(float(s.mean()) if len(s) else math.nan for s in scores)
    order = sorted((i for i, mean in enumerate(means) if math.isfinite(mean)), key=lambda i: sign * means[i])
    rivals = [i for i in order[1:] if len(scores[i]) == len(scores[order[0]])]
    pairs = _judged(scores, order[0], rivals, -sign, 0.0 if by_seed else overlap, rope) if rivals else ()
    where = "on fresh folds" if is_final else "on the folds of the search, without the luck of picking"
    unit = "fold score" if by_seed is None else "seed"
    said = _sentences(sides, order, means, pairs, "as the mean of the best of each seed" if by_seed else where, unit)
    if not pairs and len(order) > 1:
        n = min(len(scores[i]) for i in order)
        said = [f"{said[0]} A verdict takes {FEWEST} {unit}s of each arm, and there are {n}. {remedy}".rstrip()]
    return Outcome(tuple(said), tuple(order), means, pairs, is_final, rope, by_seed is not None)


def _scores_by_seed(sides: Sequence[Side]) -> list[Floats] | None:
    """Best value of each seed, shape (seeds,) each; None where there are folds, or too few seeds for a verdict.

    The default is the same each time, so its one value stands against all.
    """
    tables = [table for side in sides for table in side.tables]
    if any(table.fold_scores.shape[1] > 1 for table in tables):
        return None
    found = [np.array([_best_value(table) for table in side.tables]) for side in sides]
    counts = {len(values) for side, values in zip(sides, found, strict=True) if side.tables and not side.is_default}
    n = max(counts, default=0)
    if len(counts) != 1 or n < FEWEST or not all(np.isfinite(values).all() for values in found):
        return None
    return [np.repeat(v, n) if side.is_default else v for side, v in zip(sides, found, strict=True)]


def _best_value(table: TrialTable) -> float:
    row = table.best()
    return math.nan if row is None else float(table.values[row])


def _best_at(table: TrialTable, kind: str, x: Floats) -> Floats:
    places = spent(table, kind)
    usable = table.is_complete & np.isfinite(places) & np.isfinite(table.values)
    if not usable.any():
        return np.full(len(x), np.nan)
    best = np.minimum.accumulate(table.sign * table.values[usable])
    at = np.searchsorted(places[usable], x, side="right") - 1
    return np.where(at >= 0, table.sign * best[np.maximum(at, 0)], np.nan)


def _scores(side: Side, is_final: bool) -> Floats:
    """Of each fold, the mean over the seeds, shape (k,); empty where there are none."""
    rows = [np.array(final) for final in side.finals] if is_final else [_own(table) for table in side.tables]
    rows = [row for row in rows if len(row)]
    return np.mean(rows, axis=0) if rows and len({len(row) for row in rows}) == 1 else np.empty(0)


def _own(table: TrialTable) -> Floats:
    """Fold scores of what a search chose, without the luck of choosing where there are folds enough."""
    honest = fold_scores_without_luck(table)
    row = table.best()
    return honest if len(honest) or row is None else table.fold_scores[row]


def _judged(
    scores: Sequence[Floats], leader: int, rivals: Sequence[int], better: float, overlap: float, rope: float
) -> tuple[Pair, ...]:
    gaps = [better * (scores[leader] - scores[i]) for i in rivals]
    if len(gaps[0]) < FEWEST:
        return ()
    found = judge_each(gaps, overlap, rope)
    return tuple(Pair(leader, i, one) for i, one in zip(rivals, found, strict=True))


def _sentences(
    sides: Sequence[Side],
    order: Sequence[int],
    means: Sequence[float],
    pairs: Sequence[Pair],
    where: str,
    unit: str,
) -> list[str]:
    if not order:
        return ["No arm has a finished trial, so there is nothing to judge."]
    leader = order[0]
    if not pairs:
        others = "" if len(order) > 1 else "; nothing compares with it yet"
        stands = "leads with" if len(order) > 1 else "stands at"
        return [f"{sides[leader].label} {stands} {format_score(means[leader])} {where}{others}."]
    said = [_headline(sides, pairs, means, where)]
    said += [pair.judgement.in_words(sides[pair.first].label, sides[pair.second].label, unit) for pair in pairs]
    if help_ := whether_tuning_helped(sides, pairs, leader):
        said.insert(1, help_)
    return said


def _headline(sides: Sequence[Side], pairs: Sequence[Pair], means: Sequence[float], where: str) -> str:
    leader = pairs[0].first
    beaten = [p for p in pairs if p.judgement.verdict == "better"]
    value = f"{format_score(means[leader])} {where}"
    n_seeds = sum(table.best() is not None for table in sides[leader].tables)
    value += f", the mean of {n_seeds} searches" if n_seeds > 1 else ""
    if len(beaten) == len(pairs):
        return f"{sides[leader].label} won: {value}, ahead of every other arm by more than noise."
    open_ = [sides[p.second].label for p in pairs if p.judgement.verdict != "better"]
    against = format_list(open_) if len(open_) <= _MOST_NAMED else f"{len(open_)} of the {len(pairs)} other arms"
    return f"A tie at the top: {sides[leader].label} leads with {value}, but not beyond noise against {against}."


def whether_tuning_helped(sides: Sequence[Side], pairs: Sequence[Pair], leader: int) -> str:
    """The sentence on the leader against the default; "" where the default is no arm, or was not judged."""
    default = next((i for i, side in enumerate(sides) if side.is_default), None)
    if default is None:
        return ""
    if leader == default:
        return "Tuning did not help: the default configuration leads."
    pair = next((p for p in pairs if p.second == default), None)
    if pair is None:
        return ""
    words = {
        "better": "Tuning helped",
        "equivalent": "Tuning did not help: the best arm and the default are equivalent",
    }
    gain = pair.judgement
    if gain.verdict in words:
        return (
            f"{words[gain.verdict]}: {format_score(gain.mean)} over the default."
            if gain.verdict == "better"
            else (words[gain.verdict] + ".")
        )
    return "Whether tuning helped cannot be told: the gain over the default is within its noise."
