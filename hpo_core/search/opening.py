"""The last step of a study: what was chosen is scored once on the locked rows, in a process of its own.

`python -m hpo_core.search.opening STUDY FOLDER`, the storage in the environment; what is scored stands in the order.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpo_core.errors import TuningError, UsageError
from hpo_core.search.errand import CalledOff, Errand, Progress
from hpo_core.search.executor import Executor, FitRequest
from hpo_core.search.launch import begin_spawned, problem_of, spawn
from hpo_core.search.local import LocalExecutor
from hpo_core.search.locked import Look, look, looks_of, why_locked
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study

_KIND, _DUEL = "locked", "duel"
DEFAULT_WORDS = "the default"


def opening(study: Study) -> Errand:
    """The errand of opening the locked rows for a study."""
    return Errand(study, _KIND)


def why_not_opened(storage: StudyStorage, study: Study) -> str:
    """The sentence why the locked rows cannot be opened for a study by itself, or ""."""
    if not study.key or "problem" not in study.attributes:
        return f"The study {study.name!r} was made by another program: no rows are locked away for it."
    if _DUEL in study.attributes:
        return "This study is part of a duel: its locked rows are opened there, for all arms at once."
    return why_locked(storage, problem_of(study))


def ask_to_open(storage: StudyStorage, study: Study, configuration: Mapping[str, Any], what: str) -> None:
    """Orders that a configuration, and the default, are scored on the locked rows.

    Args:
        storage: Where looks are counted.
        study: For which they are opened.
        configuration: What was chosen.
        what: It in words, such as "trial 24".

    Raises:
        UsageError: They cannot be opened, or the configuration was scored on them for this study already.
        StudyBusyError: They are being opened for this study.
    """
    if why := why_not_opened(storage, study):
        raise UsageError(why)
    problem = problem_of(study)
    if known := has_seen(storage, study, configuration):
        raise UsageError(f"This configuration was scored on the locked rows already, as {known.what}.")
    chosen = [[what, problem.space.check(configuration)]]
    if not has_seen(storage, study, default := problem.space.default()):
        chosen += [[DEFAULT_WORDS, default]] if default != chosen[0][1] else []
    opening(study).ask(chosen=chosen)


def has_seen(storage: StudyStorage, study: Study, configuration: Mapping[str, Any]) -> Look | None:
    """The look at the locked rows that was made with a configuration for this study, if any."""
    looks = looks_of(storage, study, problem_of(study))
    return next((one for one in looks if dict(one.configuration) == dict(configuration)), None)


def start_opening(storage: StudyStorage, study: Study, folder: Path) -> None:
    """Has what was ordered done in a process that outlives this one."""
    spawn("hpo_core.search.opening", (study.name, str(folder)), storage, folder)


def open_locked(storage: StudyStorage, study: Study, folder: Path) -> tuple[Look, ...]:
    """Does what was ordered, in this process; nothing where another one is at it, or where it was called off.

    Raises:
        TuningError: It could not be done; the sentence stands in the errand, too.
    """
    errand = opening(study)
    if not errand.hold():
        return ()
    try:
        made = _looked(storage, study, errand, folder)
    except CalledOff:
        made = ()
    except BaseException as fault:
        errand.release(str(fault) if isinstance(fault, TuningError) else f"It broke off: {type(fault).__name__}.")
        raise
    errand.release()
    return made


def _looked(storage: StudyStorage, study: Study, errand: Errand, folder: Path) -> tuple[Look, ...]:
    chosen = [(what, configuration) for what, configuration in errand.state().order["chosen"]]
    n_done = 0

    def score(executor: Executor, request: FitRequest) -> float:
        nonlocal n_done
        errand.tell(Progress(done=n_done, total=len(chosen), doing=f"Scoring {chosen[n_done][0]}"), force=True)
        n_done += 1
        return errand.score(executor, request)

    executor = LocalExecutor(1, log_file=folder / "workers.log")
    try:
        return look(storage, study, problem_of(study), chosen, executor, score)
    finally:
        executor.shutdown()


def main(name: str, folder: str) -> int:
    """Does what was ordered for a study."""
    try:
        storage = begin_spawned("locked rows")
        open_locked(storage, storage.study(name), Path(folder))
    except TuningError as fault:
        logging.error("%s: %s", name, fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
