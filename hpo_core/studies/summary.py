"""What a list of studies shows, in a handful of queries whatever their number."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import ColumnElement, Connection, Table, func, select

from hpo_core.studies import tables
from hpo_core.studies.run import Run
from hpo_core.studies.run_log import run_of_row
from hpo_core.studies.table import Direction


@dataclass(frozen=True, slots=True)
class DuelMark:
    """Which duel a study belongs to.

    Attributes:
        key, name: Of the duel.
        suite, suite_key: Of the suite that the duel belongs to; "" for none.
        arm: Method of its arm, "manual" or "default" among them; "" where it cannot be told.
        is_blind: Whether its progress is to be kept from a person who still plays.
        code: Of the class that the duel is; "" for none.
    """

    key: str
    name: str
    suite: str
    suite_key: str
    arm: str
    is_blind: bool
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """One study in a list.

    Attributes:
        best_value: Of the complete trials that are not hidden, first objective; None without any.
        created, changed: Epoch seconds; 0 where nothing tells.
        run: The newest run.
        is_lab: Whether the lab made it.
        title: Its problem in one line; "" for studies of other programs.
        parent: Name of the study that it is a child of; "" for none, and when that one is gone.
        n_children: How many studies are children of it.
        duel: The duel that it belongs to.
    """

    name: str
    direction: Direction
    metric: str
    n_trials: int
    n_complete: int
    n_pruned: int
    n_failed: int
    best_value: float | None
    created: float
    changed: float
    run: Run | None
    is_lab: bool
    title: str = ""
    parent: str = ""
    n_children: int = 0
    duel: DuelMark | None = None


def read_summaries(connection: Connection, *, has_runs: bool) -> tuple[StudySummary, ...]:
    """All studies, the one that changed last first."""
    columns = tables.studies.c
    gone = _attributes(connection, tables.user_attributes, tables.DISCARDED_ATTRIBUTE)
    rows = connection.execute(select(columns.study_id, columns.study_name))
    names = {row.study_id: row.study_name for row in rows if row.study_id not in gone}
    directions = _directions(connection)
    keys = _attributes(connection, tables.user_attributes, tables.KEY_ATTRIBUTE)
    owners = {key: study_id for study_id, key in sorted(keys.items(), reverse=True)}
    created = _attributes(connection, tables.user_attributes, tables.CREATED_ATTRIBUTE)
    metrics = _attributes(connection, tables.system_attributes, tables.METRIC_NAMES_ATTRIBUTE)
    titles = _attributes(connection, tables.user_attributes, tables.TITLE_ATTRIBUTE)
    parents = _parents(connection, owners)
    n_children = Counter(parents.values())
    marks = _duel_marks(connection)
    counts, best = _counts(connection), _best_values(connection, directions)
    runs = _newest_runs(connection) if has_runs else {}
    summaries = []
    for study_id, name in names.items():
        count = counts.get(study_id, _Counts())
        key = keys.get(study_id, "")
        run = runs.get(key) if owners.get(key) == study_id else None
        born = created.get(study_id) or count.first
        changes = (born, count.last, run.heartbeat if run else 0.0)
        summaries.append(
            StudySummary(
                name=name,
                direction=directions.get(study_id, "minimize"),
                metric=next(iter(metrics.get(study_id) or [""])),
                n_trials=sum(count.by_state.values()),
                n_complete=count.by_state[TrialState.COMPLETE],
                n_pruned=count.by_state[TrialState.PRUNED],
                n_failed=count.by_state[TrialState.FAIL],
                best_value=best.get(study_id),
                created=born,
                changed=max(changes),
                run=run,
                is_lab=study_id in keys,
                title=str(titles.get(study_id, "")) if study_id in keys else "",
                parent=names.get(parents.get(study_id, -1), ""),
                n_children=n_children[study_id],
                duel=marks.get(study_id) if study_id in keys else None,
            )
        )
    return tuple(sorted(summaries, key=lambda summary: summary.changed, reverse=True))


def _parents(connection: Connection, owners: dict[str, int]) -> dict[int, int]:
    """The parents that are still there, by the ids of child and parent."""
    found = _attributes(connection, tables.user_attributes, tables.PARENT_ATTRIBUTE)
    ours = set(owners.values())
    return {
        child: owners[key] for child, key in found.items() if child in ours and isinstance(key, str) and key in owners
    }


def _duel_marks(connection: Connection) -> dict[int, DuelMark]:
    """By study; what other programs keep under the same name is no duel."""
    rows = _attributes(connection, tables.user_attributes, tables.DUEL_ATTRIBUTE)
    done = _attributes(connection, tables.user_attributes, f"{tables.DUEL_CONTROL}is_hand_done")
    found = {study_id: (row, row["plan"]) for study_id, row in rows.items() if is_duel(row)}
    over = {plan["key"] for study_id, (_, plan) in found.items() if done.get(study_id)}
    return {study_id: _mark(row, plan, plan["key"] in over) for study_id, (row, plan) in found.items()}


def is_duel(row: Any) -> bool:
    """Whether the attribute of a study says that it belongs to a duel of the lab."""
    plan = row.get("plan") if isinstance(row, dict) else None
    return isinstance(plan, dict) and {"key", "name", "arms", "budget"} <= plan.keys() and {"arm", "seed"} <= row.keys()


def _mark(row: dict[str, Any], plan: dict[str, Any], is_hand_done: bool) -> DuelMark:
    arms, place, code = plan["arms"], row["arm"], plan.get("code", "")
    arm = "manual" if row.get("person") else arms[place]["method"] if 0 <= place < len(arms) else ""
    is_blind = bool(plan.get("is_blind")) and not is_hand_done and (arm != "manual" or bool(code))
    return DuelMark(plan["key"], plan["name"], plan.get("suite", ""), plan.get("suite_key", ""), arm, is_blind, code)


@dataclass(slots=True)
class _Counts:
    """Trials of one study by state, and when the first began and the last ended."""

    by_state: Counter[TrialState] = field(default_factory=Counter)
    first: float = 0.0
    last: float = 0.0


def _directions(connection: Connection) -> dict[int, Direction]:
    columns = tables.directions.c
    rows = connection.execute(select(columns.study_id, columns.direction).where(columns.objective == 0))
    return {row.study_id: "maximize" if row.direction == StudyDirection.MAXIMIZE else "minimize" for row in rows}


def _attributes(connection: Connection, table: Table, key: str) -> dict[int, Any]:
    rows = connection.execute(select(table.c.study_id, table.c.value_json).where(table.c.key == key))
    return {row.study_id: json.loads(row.value_json) for row in rows}


def _counts(connection: Connection) -> dict[int, _Counts]:
    columns = tables.trials.c
    query = select(
        columns.study_id,
        columns.state,
        func.count().label("n"),
        func.min(columns.datetime_start).label("first"),
        func.max(func.coalesce(columns.datetime_complete, columns.datetime_start)).label("last"),
    ).group_by(columns.study_id, columns.state)
    counts: dict[int, _Counts] = defaultdict(_Counts)
    for row in connection.execute(query):
        count = counts[row.study_id]
        count.by_state[row.state] += row.n
        starts = [s for s in (count.first, _epoch(row.first)) if s]
        count.first = min(starts, default=0.0)
        count.last = max(count.last, _epoch(row.last))
    return counts


def _best_values(connection: Connection, directions: dict[int, Direction]) -> dict[int, float]:
    """By study, of complete trials that are not hidden; infinities count as what they are."""
    found = _extremes(connection, [])
    for study_id, numbers in _attributes(connection, tables.user_attributes, tables.HIDDEN_ATTRIBUTE).items():
        if numbers:
            trials = tables.trials.c
            found[study_id] = _extremes(
                connection, [trials.study_id == study_id, trials.number.not_in(numbers)]
            )[study_id]  # fmt: skip
    ends = {study_id: ends for study_id, ends in found.items() if ends}
    return {i: max(ends) if directions.get(i) == "maximize" else min(ends) for i, ends in ends.items()}


def _extremes(connection: Connection, conditions: list[ColumnElement[bool]]) -> dict[int, list[float]]:
    """Lowest and highest values of complete trials, and infinities, by study."""
    trials, values = tables.trials.c, tables.values.c
    query = (
        select(trials.study_id, values.value_type, func.min(values.value), func.max(values.value))
        .join_from(tables.trials, tables.values, trials.trial_id == values.trial_id)
        .where(trials.state == TrialState.COMPLETE, values.objective == 0, *conditions)
        .group_by(trials.study_id, values.value_type)
    )  # fmt: skip
    found: dict[int, list[float]] = defaultdict(list)
    for study_id, value_type, low, high in connection.execute(query):
        found[study_id] += {"INF_POS": [math.inf], "INF_NEG": [-math.inf]}.get(value_type, [low, high])
    return found


def _newest_runs(connection: Connection) -> dict[str, Run]:
    newest = select(func.max(tables.runs.c.run_id)).group_by(tables.runs.c.study_key)
    rows = connection.execute(select(tables.runs).where(tables.runs.c.run_id.in_(newest))).mappings()
    return {row["study_key"]: run_of_row(row) for row in rows}


def _epoch(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.replace(tzinfo=UTC).timestamp()
