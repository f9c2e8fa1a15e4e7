"""Trials of one study copied into another inside the database, with the distributions of the other's search space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, distribution_to_json
from sqlalchemy import Connection, text

from hpo_core.space import AnyParameter, Categorical, SearchSpace
from hpo_core.studies import tables

_PIECE = 1000

_TRIALS = """
    INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
    WITH pairs (source, number) AS (VALUES {pairs})
    SELECT pairs.number, :study, t.state, t.datetime_start, t.datetime_complete
    FROM pairs JOIN trials t ON t.trial_id = pairs.source ORDER BY pairs.number
"""
_NEW_IDS = "SELECT trial_id FROM trials WHERE study_id = :study ORDER BY number"
_VALUES = """
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    WITH pairs (source, copy) AS (VALUES {pairs})
    SELECT pairs.copy, v.objective, v.value, v.value_type FROM pairs JOIN trial_values v ON v.trial_id = pairs.source
"""
_FOLDS = """
    INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
    WITH pairs (source, copy) AS (VALUES {pairs})
    SELECT pairs.copy, i.step, i.intermediate_value, i.intermediate_value_type
    FROM pairs JOIN trial_intermediate_values i ON i.trial_id = pairs.source
"""
_ATTRIBUTES = """
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    WITH pairs (source, copy) AS (VALUES {pairs})
    SELECT pairs.copy, a.key, a.value_json
    FROM pairs JOIN trial_user_attributes a ON a.trial_id = pairs.source WHERE a.key <> :origin
"""
_ORIGINS = """
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    WITH pairs (source, copy) AS (VALUES {pairs})
    SELECT pairs.copy, CAST(:origin AS VARCHAR(512)), CAST(t.number AS VARCHAR(20))
    FROM pairs JOIN trials t ON t.trial_id = pairs.source
"""
_PARAMS = """
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    WITH pairs (source, copy) AS (VALUES {pairs})
    SELECT pairs.copy, p.param_name, {value}, CAST(:distribution AS TEXT)
    FROM pairs JOIN trial_params p ON p.trial_id = pairs.source AND p.param_name = :name
"""


def copy_trials(
    connection: Connection,
    ids: Sequence[int],
    study_id: int,
    space: SearchSpace,
    distributions: Mapping[str, BaseDistribution],
) -> None:
    """Copies finished trials into an empty study that is locked. They get new numbers and keep their order and times.

    Args:
        connection: Of a writing transaction.
        ids: Database ids of trials whose configurations belong to the space, ascending.
        study_id: Where to.
        space: The search space of that study.
        distributions: What the trials were drawn from, by parameter.
    """
    for pairs in _pieces(ids, range(len(ids))):
        connection.execute(text(_TRIALS.format(pairs=pairs)), {"study": study_id})
    copies = connection.execute(text(_NEW_IDS), {"study": study_id}).scalars().all()
    origin = {"origin": tables.PARENT_TRIAL_ATTRIBUTE}
    for pairs in _pieces(ids, copies):
        connection.execute(text(_VALUES.format(pairs=pairs)))
        connection.execute(text(_FOLDS.format(pairs=pairs)))
        connection.execute(text(_ATTRIBUTES.format(pairs=pairs)), origin)
        connection.execute(text(_ORIGINS.format(pairs=pairs)), origin)
        for p in (p for p in space.parameters if p.name in distributions):
            query = _PARAMS.format(pairs=pairs, value=_value(p, distributions[p.name]))
            described = {"name": p.name, "distribution": distribution_to_json(p.distribution())}
            connection.execute(text(query), described)


def _pieces(ids: Sequence[int], others: Sequence[int]) -> Iterator[str]:
    """Pairs of whole numbers as rows of SQL, a thousand at a time."""
    rows = [f"({int(i)},{int(other)})" for i, other in zip(ids, others, strict=True)]
    for start in range(0, len(rows), _PIECE):
        yield ",".join(rows[start : start + _PIECE])


def _value(parameter: AnyParameter, source: BaseDistribution) -> str:
    """The stored number of a parameter: that of a category moves to its place among the choices that are left."""
    if not (isinstance(parameter, Categorical) and isinstance(source, CategoricalDistribution)):
        return "p.param_value"
    moves = [
        f"WHEN {place} THEN {parameter.index(choice)}"
        for place, choice in enumerate(source.choices)
        if parameter.why_invalid(choice) is None
    ]
    return f"CASE CAST(p.param_value AS INTEGER) {' '.join(moves)} END"
