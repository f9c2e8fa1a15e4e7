"""The engine in a few lines of Python: make a problem, search it, read its table."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS
from hpo_core.problem import Problem
from hpo_core.search.finals_process import hold_after
from hpo_core.search.launch import check_run, execute, start_run
from hpo_core.search.runner import Progress
from hpo_core.search.suitability import suited_pruning
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study

_RECORDED_VERSIONS = ("optuna", "scikit-learn", "numpy", "scipy", "pandas")


def make_study(
    storage: StudyStorage, problem: Problem, name: str = "", attributes: Mapping[str, Any] | None = None
) -> Study:
    """A new study of a problem, with all that is needed to do it again; without a name it gets a free one.

    Raises:
        UsageError: The name is taken.
    """
    return storage.create(
        name or free_name(storage, problem),
        direction=problem.direction,
        metric=problem.spec.metric,
        second=problem.spec.second,
        space=problem.space,
        attributes={**study_attributes(problem), **(attributes or {})},
    )


def study_attributes(problem: Problem) -> dict[str, Any]:
    """What a study keeps of its problem."""
    return {"problem": problem.spec.to_json(), "title": problem.title, "versions": _versions()}


def free_name(storage: StudyStorage, problem: Problem) -> str:
    """A study name that is not taken: data, model and a number."""
    stem = "-".join(part for part in (Path(problem.spec.data).stem, problem.spec.model) if part)
    taken = {summary.name for summary in storage.summaries()}
    return next(name for n in range(1, len(taken) + 2) if (name := f"{stem}-{n}") not in taken)


def search(
    problem: Problem,
    method: str = "auto",
    *,
    trials: int | None = None,
    fits: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    workers: int = 1,
    pruning: str | None = None,
    pruning_options: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    study: str = "",
    storage: StudyStorage | str | None = None,
    folder: str | Path | None = None,
    on_progress: Progress | None = None,
) -> Study:
    """Searches a problem in this process until the budget is spent, and returns the study.

    Args:
        problem: What is tuned.
        method: Key of a search method.
        trials, fits, seconds: The budget; exactly one of them, or none for 50 trials.
        seed: Of the method. The same seed and number of workers give the same trials again.
        workers: Worker processes.
        pruning: Key of a rule between folds; by default the one that belongs to the method.
        pruning_options: Options of the rule.
        options: Options of the method.
        study: Name; an existing study of the same problem is continued, a free name is taken when empty.
        storage: Where studies are kept, or its URL; the data folder's own by default.
        folder: Data folder, see `data_folder`.
        on_progress: Called with the run a few times a second.

    Raises:
        UsageError: The arguments do not fit together.
        StudyBusyError: Another runner works on the study.
    """
    home = data_folder(folder)
    opened = storage if isinstance(storage, StudyStorage) else StudyStorage.open(storage, folder=home)
    settings = RunSettings(
        method=method,
        options=dict(options or {}),
        seed=seed,
        workers=workers,
        pruning=suited_pruning(METHODS[method], problem) if pruning is None else pruning,
        pruning_options=dict(pruning_options or {}),
    )
    budget = budget_of(trials, fits, seconds)
    check_run(problem, settings, budget)
    record = study_for(opened, problem, study)
    hold_after(record, execute(record, start_run(record, settings, budget), home, on_progress), home)
    return record


def study_for(storage: StudyStorage, problem: Problem, name: str = "") -> Study:
    """The study of this name, made if there is none.

    Raises:
        UsageError: The study belongs to another problem.
    """
    if not name or not storage.has(name):
        return make_study(storage, problem, name)
    study = storage.study(name)
    if study.attributes.get("problem") != problem.spec.to_json():
        raise UsageError(
            f"The study {name!r} is about another problem ({study.attributes.get('title', 'of another program')}). "
            "Choose another name."
        )
    return study


def budget_of(trials: float | None = None, fits: float | None = None, seconds: float | None = None) -> Budget:
    """The one budget that is given; 50 trials when none is.

    Raises:
        UsageError: More than one is given, or it is not above 0.
    """
    given = [(kind, x) for kind, x in (("trials", trials), ("fits", fits), ("seconds", seconds)) if x is not None]
    if len(given) > 1:
        raise UsageError(f"A search has one budget; got {' and '.join(kind for kind, _ in given)}. Choose one.")
    kind, amount = given[0] if given else ("trials", 50)
    return Budget(kind, amount)  # type: ignore[arg-type]


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in _RECORDED_VERSIONS}}
