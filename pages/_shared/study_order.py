"""The order of the studies in their list: found by words, sorted, children below their parents."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hpo_core.studies.summary import StudySummary
from pages._shared.contests import Contest, contests_of

ORDERS = {
    "changed": "changed last",
    "name": "name",
    "problem": "problem, best first",
    "trials": "most trials",
}
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list.

    Attributes:
        depth: Steps below its topmost ancestor in the list; more than a few are shown as few.
        rails: Steps at which a line passes by, or goes on below, to a later child of the same parent.
        group: Its problem, where the list is grouped by problem; else "".
        n_in_group: How many studies are about that problem.
        contest: The duel or suite that the line stands for; `study` then sums it up.
    """

    study: StudySummary
    depth: int = 0
    rails: tuple[int, ...] = ()
    group: str = ""
    n_in_group: int = 0
    contest: Contest | None = None


def listed(
    studies: Iterable[StudySummary], words: str = "", order: str = "changed", unfolded: Collection[str] = ()
) -> list[Entry]:
    """The studies that hold all the words in name, problem, metric or state, in one of `ORDERS`.

    A duel or a suite is one line, with its studies below it where its key is in `unfolded`. Grouped by problem, the
    best comes first in each group; in all other orders children stand below their parent, and a family stands where the
    first of it would.
    """
    wanted = words.casefold().split()
    singles, contests = contests_of(studies)
    found = [study for study in singles if _holds(study, wanted)]
    held = [c for c in contests if _holds(c.summary, wanted) or any(_holds(study, wanted) for study in c.members)]
    lines = {contest.key: _unfolded(contest, contest.key in unfolded) for contest in held}
    if order == "problem":
        return _by_problem(found, held, lines)
    return _families(found, _KEYS[order], list(lines.values()))


def _unfolded(contest: Contest, is_unfolded: bool) -> list[Entry]:
    """The line of a duel or suite, and those of its studies if they are to be seen."""
    members = contest.members if is_unfolded and not contest.is_hidden else ()
    below = [Entry(study, 1, (1,) if i < len(members) - 1 else ()) for i, study in enumerate(members)]
    return [Entry(contest.summary, contest=contest), *below]


def signed_best(study: StudySummary) -> float:
    """The best value, lower is better; infinite without one."""
    if study.best_value is None or math.isnan(study.best_value):
        return math.inf
    return study.best_value if study.direction == "minimize" else -study.best_value


def _holds(study: StudySummary, words: Sequence[str]) -> bool:
    state = study.run.state if study.run else ""
    text = " ".join((study.name, study.title, study.metric, state, study.parent)).casefold()
    return all(word in text for word in words)


def _is_at_rest(study: StudySummary) -> bool:
    return study.run is None or not study.run.is_active


_KEYS: dict[str, Callable[[StudySummary], Any]] = {
    # Those that run change all the time, so they stand first, in the order of their start.
    "changed": lambda s: (_is_at_rest(s), -s.changed if _is_at_rest(s) or s.run is None else -s.run.started),
    "name": lambda s: (s.name.casefold(), s.name),
    "trials": lambda s: -s.n_trials,
}


def _families(
    studies: Sequence[StudySummary], key: Callable[[StudySummary], Any], others: Sequence[list[Entry]] = ()
) -> list[Entry]:
    names = {study.name for study in studies}
    children: dict[str, list[StudySummary]] = defaultdict(list)
    for study in studies:
        children[study.parent if study.parent in names and study.parent != study.name else ""].append(study)
    entries: list[Entry] = []
    families = [_family(root, children) for root in children.pop("", [])]
    placed = {entry.study.name for family in families for entry in family}
    families += [[Entry(study)] for study in studies if study.name not in placed]  # their ancestors go in a circle
    families += others
    for family in sorted(families, key=lambda family: min(key(entry.study) for entry in family)):
        entries += family
    return entries


def _family(root: StudySummary, children: dict[str, list[StudySummary]]) -> list[Entry]:
    """The study with all below it, the oldest child first."""
    family: list[Entry] = []
    waiting: list[tuple[StudySummary, int, tuple[int, ...]]] = [(root, 0, ())]
    while waiting:
        study, depth, rails = waiting.pop()
        family.append(Entry(study, min(depth, _DEEPEST), rails))
        youngest_first = sorted(children.get(study.name, ()), key=lambda child: child.created, reverse=True)
        step = depth + 1
        own = (step,) if step <= _DEEPEST else ()
        waiting += [(child, step, rails + own if i else rails) for i, child in enumerate(youngest_first)]
    return family


def _by_problem(
    studies: Sequence[StudySummary], contests: Sequence[Contest], lines: dict[str, list[Entry]]
) -> list[Entry]:
    families = [(study, [Entry(study)]) for study in studies]
    families += [(contest.summary, lines[contest.key]) for contest in contests]
    groups: dict[str, list[tuple[StudySummary, list[Entry]]]] = defaultdict(list)
    for study, family in sorted(families, key=lambda pair: signed_best(pair[0])):
        groups[study.title or "by other programs"].append((study, family))
    return [
        replace(entry, group=title, n_in_group=len(group))
        for title, group in sorted(groups.items(), key=lambda item: -max(study.changed for study, _ in item[1]))
        for _, family in group
        for entry in family
    ]
