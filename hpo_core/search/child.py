"""Child studies: a study begun anew within other ranges, with the trials of its parent that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpo_core.problem import open_problem
from hpo_core.search.launch import problem_of
from hpo_core.search.recovery import LOST
from hpo_core.search.simple import study_attributes
from hpo_core.space import AnyParameter, Categorical, Condition, Range, SearchSpace, is_same
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import Floats, TrialTable

_STEM_LENGTH = 480


def make_child(storage: StudyStorage, study: Study, ranges: Mapping[str, Range], name: str = "") -> Study:
    """A new study of the same problem within new ranges. Trials of its parent that fit are carried over.

    Those keep arm, value, fold scores, figures and times, get new numbers, and say in `parent_trial` which one they
    were. Failed trials come along, so that what fails is not tried again. Hidden ones stay behind, as do those that
    only a runner's end made fail. The default of the child is the parent's, each value moved to the nearest one that is
    allowed: where the parent's fits it is the same, and its trial comes along; else a search begins with the new one.

    Args:
        storage: The storage of the study, and of its child.
        study: The parent.
        ranges: By parameter; what is not named stays.
        name: Of the child; without it, the parent's name with a number: the first child of `digits` is `digits.1`.

    Raises:
        UsageError: A range cannot be, the name is taken, or another program made the parent.
        DataError: The parent's data are gone or have changed.
    """
    parent = problem_of(study)
    space = parent.space.narrowed(ranges)
    problem = open_problem(replace(parent.spec, space=tuple(space.to_json())))
    table = study.read()
    return storage.branch(
        study,
        name or _free_name(storage, study.name),
        space=space,
        attributes=study_attributes(problem),
        trials=table.take(fitting(table, space)),
        ranges={parameter: limits.to_json() for parameter, limits in ranges.items()},
    )


def count_fitting(table: TrialTable, space: SearchSpace) -> int:
    """How many trials a child study with this search space would begin with."""
    return int(fitting(table, space).sum())


def fitting(table: TrialTable, space: SearchSpace) -> NDArray[np.bool_]:
    """Which trials a child study with this search space would begin with, shape (n,)."""
    fits: NDArray[np.bool_] = table.is_finished & ~table.is_hidden & (table.reasons != LOST)
    for name in table.params.keys() - set(space.names):
        fits &= np.isnan(table.params[name])
    for p in space.parameters:
        column = table.params.get(p.name, np.full(len(table), np.nan))
        is_active = ~np.isnan(column)
        fits &= is_active == (True if p.when is None else _holds(p.when, table))
        if is_active.any():
            fits &= ~is_active | _allows(p, column, table.distributions[p.name])
    return fits


def _holds(condition: Condition, table: TrialTable) -> NDArray[np.bool_]:
    distribution, column = table.distributions.get(condition.parent), table.params.get(condition.parent)
    if distribution is None or column is None:
        return np.zeros(len(table), dtype=bool)
    if isinstance(distribution, CategoricalDistribution):
        return _is_choice(column, [any(is_same(c, v) for v in condition.values) for c in distribution.choices])
    return np.isin(column, [float(v) for v in condition.values if isinstance(v, (int, float))])


def _allows(parameter: AnyParameter, column: Floats, source: BaseDistribution) -> NDArray[np.bool_]:
    is_categorical = isinstance(source, CategoricalDistribution)
    if isinstance(parameter, Categorical):
        choices = source.choices if isinstance(source, CategoricalDistribution) else ()
        return _is_choice(column, [parameter.why_invalid(choice) is None for choice in choices])
    return np.zeros(len(column), dtype=bool) if is_categorical else parameter.allows(column)


def _is_choice(column: Floats, is_wanted: list[bool]) -> NDArray[np.bool_]:
    """Which categories, by their places, are among those wanted; none where there is no category."""
    places = np.where(np.isnan(column), len(is_wanted), column).astype(int)
    wanted: NDArray[np.bool_] = np.array([*is_wanted, False])[places]
    return wanted


def _free_name(storage: StudyStorage, parent: str) -> str:
    taken = {summary.name for summary in storage.summaries()}
    stem = parent[:_STEM_LENGTH]
    return next(name for n in range(1, len(taken) + 2) if (name := f"{stem}.{n}") not in taken)
