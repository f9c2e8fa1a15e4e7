"""Fights duels: `python -m hpo_core.search.dueling DUEL FOLDER`, the storage in the environment.

A lane takes the next search that waits, does it in its own process, and goes on until none is left; several lanes fight
side by side. The lane that finds everything searched scores what was chosen on fresh folds. A lane that dies leaves a
run that is recovered as any other; another lane goes on with it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hpo_core.analysis.duel import spent
from hpo_core.errors import StudyBusyError, TuningError
from hpo_core.problem import Problem
from hpo_core.search.duel import DEFAULT, HOLDER, MANUAL, Duel, Member, open_duel
from hpo_core.search.finalists import finalist_of, fresh_problems, score_on, why_no_fresh_folds
from hpo_core.search.fits import FitStore
from hpo_core.search.holder import hold, holder_of
from hpo_core.search.launch import URL_VARIABLE, execute, resume_run, spawn, start_run
from hpo_core.search.local import LocalExecutor
from hpo_core.search.locked import look
from hpo_core.search.recovery import recover
from hpo_core.space import Configuration
from hpo_core.studies.run import Run
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_POLL_SECONDS = 0.5


def start_lanes(storage: StudyStorage, duel: Duel, folder: Path, n_lanes: int) -> None:
    """Starts or resumes a duel in processes of their own, which outlive this one."""
    duel.ask(is_stopped=False, fault="")
    for _ in range(n_lanes):
        spawn("hpo_core.search.dueling", (duel.plan.key, str(folder)), storage, folder)


def ask_all(duel: Duel, wanted: str) -> None:
    """Pauses, resumes or stops every search of a duel that is on; a stopped duel begins no other."""
    if wanted == "stopped":
        duel.ask(is_stopped=True)
    for member in duel.searches:
        run = member.study.runs.current()
        if run is not None and run.is_active:
            member.study.runs.ask_for(wanted)  # type: ignore[arg-type]


def fight(storage: StudyStorage, key: str, folder: Path) -> None:
    """One lane: searches until nothing waits, then the final round, unless another lane holds it."""
    done: set[int] = set()  # a search that a person stops is not begun again by the same lane
    while not (duel := open_duel(storage, key)).control.get("is_stopped"):
        if (found := _taken(duel, done)) is None:
            break
        member, run = found
        done.add(member.study.study_id)
        try:
            execute(member.study, run, folder)
        except TuningError as fault:
            logging.error("%s: %s", member.study.name, fault)
            duel.ask(fault=f"{member.study.name}: {fault}")
            return
    while not (duel := open_duel(storage, key)).control.get("is_stopped"):
        if is_ready_for_finals(duel):
            hold_finals(duel, folder)
            return
        if duel.control.get("opens_lock") and not has_looked(duel):
            open_lock(storage, duel, folder)
            return
        if not any(_is_active(member) for member in duel.searches):
            return  # a person is not done, or a search was stopped by itself
        time.sleep(_POLL_SECONDS)


def is_searched(member: Member) -> bool:
    """Whether a search has come to its end."""
    run = member.study.runs.current()
    return run is not None and run.state == "finished"


def is_ready_for_finals(duel: Duel) -> bool:
    """Whether all searches are over, a person's too, and what they chose has not been scored on fresh folds."""
    if duel.by_hand is not None and not duel.control.get("is_hand_done"):
        return False
    return why_no_finals(duel) == "" and all(map(is_searched, duel.searches)) and not has_finals(duel)


def has_finals(duel: Duel) -> bool:
    """Whether what every search has chosen is scored on fresh folds."""
    return all(member.final() is not None for member in duel.members)


def has_looked(duel: Duel) -> bool:
    """Whether what every search has chosen was scored on the locked rows."""
    return all(member.look() is not None for member in duel.members)


def is_held(duel: Duel) -> bool:
    """Whether a process is at what comes after the searches."""
    return holder_of(duel.members[0].study, HOLDER) is not None


def open_lock(storage: StudyStorage, duel: Duel, folder: Path, n_workers: int = 1) -> None:
    """Scores what every search has chosen on the locked rows, once each; what was chosen is settled by the finals."""
    if not hold(duel.members[0].study, HOLDER):
        return
    executor = LocalExecutor(n_workers, log_file=folder / "workers.log")
    try:
        for member in duel.members:
            if member.look() is None:
                chosen = [(duel.plan.name, found)] if (found := _choice(duel, member)) else []
                made = look(storage, member.study, duel.problem, chosen, executor)
                member.set_look(made[0].score if made else None)
    finally:
        executor.shutdown()


def _choice(duel: Duel, member: Member) -> Configuration | None:
    """What a search has chosen; None where no trial came to its end."""
    table = counted(duel, member)
    row = table.best()
    return None if row is None else table.configuration(row)


def why_no_finals(duel: Duel) -> str:
    """The sentence why there are no fresh folds to score anything on, or ""."""
    return why_no_fresh_folds(duel.problem) if duel.plan.finals else "This duel was made without a final round."


def hold_finals(duel: Duel, folder: Path, n_workers: int = 1) -> None:
    """Scores what every search has chosen on fresh folds, and keeps that with its study."""
    if not hold(duel.members[0].study, HOLDER):
        return
    draws, fits = fresh_problems(duel.problem, duel.plan.finals), FitStore(folder / "fits.db")
    executor = LocalExecutor(n_workers, log_file=folder / "workers.log")
    try:
        for member in duel.members:
            final = member.final() or _final(duel, member, draws, executor, fits)
            if final is None:
                return
            member.set_final(final)
    finally:
        executor.shutdown()
        fits.close()


def counted(duel: Duel, member: Member, read: Callable[[Study], TrialTable] = Study.read) -> TrialTable:
    """The trials of a member that count: of a person their own, and those that the budget pays for."""
    table, budget = read(member.study), duel.plan.budget
    if duel.plan.arms[member.arm].method != MANUAL:
        return table
    own = table.take(np.isin(table.arms, [MANUAL, DEFAULT]))  # a search may have been started beside the sliders
    return own if budget.kind == "seconds" else own.take(spent(own, budget.kind) <= budget.amount)


def _final(
    duel: Duel, member: Member, draws: Sequence[Problem], executor: LocalExecutor, fits: FitStore
) -> dict[str, object] | None:
    """What a search has chosen with its scores on fresh folds; None when the duel was stopped."""
    table = counted(duel, member)
    row = table.best()
    if row is None:
        return {"scores": [], "why": "no trial came to its end"}
    one = finalist_of(table, row)
    found = score_on(draws, [one], executor, fits, is_wanted=lambda: not duel.control.get("is_stopped"))
    if found is None:
        return None
    chosen = {"trial": one.trial, "configuration": one.configuration, "value": one.value}
    return {**chosen, "scores": list(found[0].scores), **({"why": found[0].why} if found[0].why else {})}


def _taken(duel: Duel, done: set[int]) -> tuple[Member, Run] | None:
    """The next search that waits or was broken off, with a run that this lane will claim."""
    for member in duel.searches:
        recover(member.study)
        run = member.study.runs.current()
        if member.study.study_id in done or (run is not None and (run.is_active or run.state == "finished")):
            continue
        try:
            return member, start_run(member.study, *duel.settings(member)) if run is None else resume_run(member.study)
        except StudyBusyError:
            continue  # another lane was faster
    return None


def _is_active(member: Member) -> bool:
    run = member.study.runs.current()
    return run is not None and run.is_active


def main(key: str, folder: str) -> int:
    """Is one lane of a duel."""
    logging.basicConfig(format="%(asctime)s duel %(process)d %(message)s", stream=sys.stderr, level=logging.INFO)
    try:
        fight(StudyStorage.open(os.environ.pop(URL_VARIABLE)), key, Path(folder))
    except TuningError as fault:
        logging.error("%s: %s", key, fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
