"""What a class says in words: whether its winner can be told from luck."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hpo_core.analysis.duel import Outcome, Pair, Side, whether_tuning_helped
from hpo_core.formats import format_count, format_score


def class_sentences(sides: Sequence[Side], people: Collection[int], found: Outcome) -> list[str]:
    """The verdict, the most important first.

    The winner is told from luck only where they are ahead of every other person beyond noise; of so many, somebody has
    to be first. Each comparison is held to Holm's level for the number of them, see `outcome`.

    Args:
        sides: People and arms of the machine that have a score.
        people: Places of the people among them.
        found: The outcome of all of them together.
    """
    first = next((i for i in found.order if i in people), None)
    if first is None:
        return ["No person has a score.", *found.sentences[:1]]
    if not found.pairs:
        return list(found.sentences[:1])
    leader = found.order[0]
    said = [_on_people(sides, people, found) if leader == first else _on_machine(sides, found, leader, first)]
    if helped := whether_tuning_helped(sides, found.pairs, leader):
        said.append(helped)
    n = len(found.pairs)
    said.append(
        f"{format_count(n, 'comparison')} with {sides[leader].label} on the same folds: the more there are, the sooner "
        "one of them looks real by chance, so each is held to a stricter level for their number (Holm 1979). The "
        "leader was found by these folds as well, which flatters a little; the locked rows had no part in it."
    )
    return said


def _on_people(sides: Sequence[Side], people: Collection[int], found: Outcome) -> str:
    leader = found.order[0]
    name, value = sides[leader].label, format_score(found.means[leader])
    others = [pair for pair in found.pairs if pair.second in people]
    tied = [pair for pair in others if pair.judgement.verdict != "better"]
    where = "on fresh folds" if found.is_final else "by the folds of the search, without the luck of picking"
    if not others:
        return f"{name} has {value} {where}; there is nobody else to compare with."
    if not tied:
        who = "the other person" if len(others) == 1 else f"all {len(others)} other people"
        return f"{name} won, and it was more than luck: {value} {where}, ahead of {who} beyond noise."
    n = f"{len(tied)} of {len(others)} other people" if len(others) > 1 else "the other person"
    return (
        f"{name} is first with {value} {where}, but that cannot be told from luck: {n} "
        f"{'are' if len(tied) > 1 else 'is'} within noise of it, and with other rows might have been first."
    )


def _on_machine(sides: Sequence[Side], found: Outcome, leader: int, first: int) -> str:
    pair: Pair | None = next((pair for pair in found.pairs if pair.second == first), None)
    said = (
        f"The machine leads: {sides[leader].label} with {format_score(found.means[leader])}. The first of the "
        f"people is {sides[first].label} with {format_score(found.means[first])}"
    )
    if pair is None:
        return f"{said}."
    return f"{said}, {'behind it beyond noise' if pair.judgement.verdict == 'better' else 'within noise of it'}."
