"""Finalists rounds in processes: of their own, `python -m hpo_core.search.finals_process STUDY KEY FOLDER` with the
storage in the environment, or in that of a search whose method ends with one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from hpo_core.errors import TuningError
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import Problem
from hpo_core.search.finalists import Pace, choose_finalists, folds_of_draw, suited_draws, why_no_fresh_folds
from hpo_core.search.finals_round import FinalsRound, ask_for_finals, fail_finals, finals_of, hold_finals_round
from hpo_core.search.fits import FitStore
from hpo_core.search.launch import begin_spawned, problem_of, spawn
from hpo_core.search.local import LocalExecutor
from hpo_core.studies.run import Run, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study

FEWEST_OF_METHOD = 5  # fresh scores that a method's own round gives each finalist: as few as tell anything

Watch = Callable[[Pace], None]


def start_finals(storage: StudyStorage, study: Study, asked: FinalsRound, folder: Path) -> None:
    """Starts a process of its own for a round that waits; it outlives this one."""
    spawn("hpo_core.search.finals_process", (study.name, asked.plan.key, str(folder)), storage, folder)


def hold_here(study: Study, asked: FinalsRound, folder: Path, on_progress: Watch = lambda _: None) -> None:
    """Does a round that waits in this process, with workers of its own."""
    executor, fits = LocalExecutor(asked.plan.workers, log_file=folder / "workers.log"), FitStore(folder / "fits.db")
    try:
        hold_finals_round(study, problem_of(study), asked.plan.key, executor, fits, on_progress)
    finally:
        executor.shutdown()
        fits.close()


def finalists_after(settings: RunSettings, problem: Problem) -> int:
    """How many of the best a search scores again at its end; 0 for none, and where that cannot be done."""
    method = with_options(METHODS[settings.method], settings.options)
    return 0 if why_no_fresh_folds(problem.spec) or problem.spec.second else method.n_finalists


def fits_after(settings: RunSettings, problem: Problem) -> int:
    """Fits that a search adds to its budget for that, at most: the best, the person's best and the default."""
    n = finalists_after(settings, problem)
    return (n + 2) * _draws_after(problem) * folds_of_draw(problem.spec) if n else 0


def hold_after(study: Study, run: Run, folder: Path, on_progress: Watch = lambda _: None) -> None:
    """After a search has spent its budget: scores the best again, if its method does so."""
    problem = problem_of(study)
    n = finalists_after(run.settings, problem)
    if not n or run.state != "finished" or ((now := finals_of(study)) is not None and now.is_active):
        return
    table = study.read()
    if table.best() is None:
        return
    chosen = choose_finalists(problem, table, n)
    asked = ask_for_finals(
        study, chosen, _draws_after(problem), workers=run.settings.workers, n_trials=int(table.is_complete.sum())
    )
    hold_here(study, asked, folder, on_progress)


def _draws_after(problem: Problem) -> int:
    return suited_draws(problem.spec, FEWEST_OF_METHOD, 1)


def main(name: str, key: str, folder: str) -> int:
    """Does the round that waits; what becomes of it stands in the study."""
    try:
        study = begin_spawned("finals").study(name)
        now = finals_of(study)
        if now is None or now.plan.key != key:
            return 2
        try:
            hold_here(study, now, Path(folder))
        except TuningError as fault:
            fail_finals(study, key, str(fault))
            raise
    except TuningError as fault:
        logging.error("%s: %s", name, fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
