"""What fresh folds say of the finalists of a study: who leads, who is tied with them, and whether tuning helped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.judgement import Judgement, judge_each
from hpo_core.analysis.noise import mean_interval
from hpo_core.formats import format_score, format_value

_MANY = 4  # names of those that are tied, beyond which they are counted


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A finalist as the judge sees it.

    Attributes:
        label: Its name in a sentence, "trial 24".
        value: In the search; NaN where it has none.
        scores: On the fresh folds, shape (k,); empty where it could not be fitted.
        is_default: Whether it is the default configuration.
    """

    label: str
    value: float
    scores: tuple[float, ...]
    is_default: bool = False


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One finalist in the order of fresh means.

    Attributes:
        place: Among the candidates.
        mean, half_width: Of its fresh scores, with half their 95 % interval; NaN where there are none.
        judgement: The leader against it; None for the leader, and where nothing can be told.
    """

    place: int
    mean: float
    half_width: float
    judgement: Judgement | None = None

    @property
    def is_tied(self) -> bool:
        """Whether it is another than the leader and cannot be told from it, or is as good for all that matters."""
        return self.judgement is not None and self.judgement.verdict != "better"


@dataclass(frozen=True, kw_only=True)
class FinalsVerdict:
    """The verdict.

    Attributes:
        ranked: The leader first, those without a score last.
        sentences: In plain words, the most important first.
        rope: Differences up to here count as none.
    """

    ranked: tuple[Ranked, ...]
    sentences: tuple[str, ...]
    rope: float

    @property
    def leader(self) -> Ranked | None:
        """Who has the best mean on fresh folds."""
        return self.ranked[0] if self.ranked and math.isfinite(self.ranked[0].mean) else None


def judge_finals(
    candidates: Sequence[Candidate], *, is_higher_better: bool, overlap: float, rope: float
) -> FinalsVerdict:
    """Ranks finalists by their means on the same fresh folds and holds the leader against each of the others.

    By the corrected resampled t-test with Holm's correction, see `judge` and `judge_each`. That the leader is picked by
    these folds flatters it a little, far less than many trials flatter the best of a search.

    Args:
        candidates: Their scores are of the same folds, in the same order.
        is_higher_better: Direction of the metric.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        rope: Half-width of the region of practical equivalence, in the metric's unit.
    """
    sign = 1.0 if is_higher_better else -1.0
    scored = [i for i, one in enumerate(candidates) if one.scores]
    order = sorted(scored, key=lambda i: -sign * float(np.mean(candidates[i].scores)))
    judgements: Sequence[Judgement | None] = [None] * len(order)
    if len(order) > 1 and len(candidates[order[0]].scores) > 1:
        best = np.array(candidates[order[0]].scores)
        gaps = [sign * (best - np.array(candidates[i].scores)) for i in order[1:]]
        judgements = [None, *judge_each(gaps, overlap, rope)]
    ranked = [
        Ranked(
            place=i,
            mean=float(np.mean(candidates[i].scores)),
            half_width=mean_interval(candidates[i].scores, overlap=overlap),
            judgement=judgement,
        )
        for i, judgement in zip(order, judgements, strict=True)
    ]
    sentences = _sentences(candidates, ranked)
    ranked += [Ranked(place=i, mean=math.nan, half_width=math.nan) for i in range(len(candidates)) if i not in order]
    return FinalsVerdict(ranked=tuple(ranked), sentences=tuple(sentences), rope=rope)


def fresh_in_words(one: Ranked) -> str:
    """A mean on fresh folds with its interval, as "0.9861 ± 0.004"."""
    half = f" ± {format_value(float(f'{one.half_width:.2g}'))}" if math.isfinite(one.half_width) else ""
    return f"{format_score(one.mean)}{half}"


def _sentences(candidates: Sequence[Candidate], ranked: Sequence[Ranked]) -> list[str]:
    if not ranked:
        return ["None of the finalists could be fitted on fresh folds, so there is no winner."]
    leader = candidates[ranked[0].place]
    value = f"{fresh_in_words(ranked[0])} on fresh folds"
    if math.isfinite(leader.value):
        value = f"{format_score(leader.value)} in the search, {value}"
    name, others = _beginning(leader.label), ranked[1:]
    if not others:
        return [f"{name}: {value}. There is nothing else to compare it with."]
    if others[0].judgement is None:
        return [f"{name} leads: {value}. A verdict takes two fresh folds at least."]
    tied = [candidates[one.place] for one in others if one.is_tied]
    if not tied:
        who = "the other finalist" if len(others) == 1 else f"all {len(others)} others"
        said = [f"{name} wins: {value}, better than {who} beyond noise."]
    else:
        said = [f"{_beginning(_named(tied))} {_are(tied)} statistically tied with the best, {leader.label}: {value}."]
    return said + _on_tuning(candidates, ranked)


def _on_tuning(candidates: Sequence[Candidate], ranked: Sequence[Ranked]) -> list[str]:
    """Whether the default does as well."""
    if candidates[ranked[0].place].is_default:
        return ["Tuning did not help: the default configuration leads."]
    default = next((one for one in ranked[1:] if candidates[one.place].is_default), None)
    if default is None or default.judgement is None:
        return []
    if default.judgement.verdict == "equivalent":
        return ["Tuning did not help: the default is as good for all that matters."]
    if default.is_tied:
        return ["Whether tuning helped cannot be told: the default is among those that are tied."]
    gain = default.judgement
    ends = " to ".join(format_value(float(f"{gain.mean + s * gain.half_width:.2g}")) for s in (-1, 1))
    return [f"Tuning helped: {format_value(float(f'{gain.mean:.2g}'))} over the default (95 % interval {ends})."]


def _named(tied: Sequence[Candidate]) -> str:
    names = [one.label for one in tied]
    if len(names) > _MANY:
        names = [*names[: _MANY - 1], f"{len(names) - _MANY + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _are(tied: Sequence[Candidate]) -> str:
    return "is" if len(tied) == 1 else "are"


def _beginning(text: str) -> str:
    return text[:1].upper() + text[1:]
