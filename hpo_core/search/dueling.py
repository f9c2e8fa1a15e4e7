"""Fights duels: `python -m hpo_core.search.dueling FOLDER DUEL...`, the storage in the environment.

A lane takes the next search that waits, does it in its own process, and goes on until none is left; several lanes fight
side by side. The lane that finds everything searched scores what was chosen on fresh folds. A lane that dies leaves a
run that is recovered as any other; another lane goes on with it.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hpo_core.errors import StudyBusyError, TuningError
from hpo_core.problem import Problem
from hpo_core.search.duel import HOLDER, Duel, Member, open_duel
from hpo_core.search.finalists import finalist_of, fresh_problems, score_on, why_no_fresh_folds
from hpo_core.search.fits import FitStore
from hpo_core.search.hand import counted
from hpo_core.search.holder import hold, holder_of
from hpo_core.search.launch import begin_spawned, execute, resume_run, spawn, start_run
from hpo_core.search.local import LocalExecutor
from hpo_core.search.locked import look
from hpo_core.search.recovery import recover
from hpo_core.space import Configuration
from hpo_core.studies.run import Run
from hpo_core.studies.storage import StudyStorage

_POLL_SECONDS, _START_SECONDS = 0.5, 20.0


def start_lanes(storage: StudyStorage, duels: Sequence[Duel], folder: Path, n_lanes: int) -> None:
    """Starts or resumes duels in processes of their own, which outlive this one."""
    for duel in duels:
        duel.ask(is_stopped=False, fault="", begun=time.time())
    for _ in range(n_lanes):
        spawn("hpo_core.search.dueling", (str(folder), *(duel.plan.key for duel in duels)), storage, folder)


def ask_all(duels: Sequence[Duel], wanted: str) -> None:
    """Pauses, resumes or stops every search of some duels that is on; a stopped duel begins no other."""
    if wanted == "stopped":
        for duel in duels:
            duel.ask(is_stopped=True)
    for member in (member for duel in duels for member in duel.searches):
        run = member.study.runs.current()
        if run is not None and run.is_active:
            member.study.runs.ask_for(wanted)  # type: ignore[arg-type]


def fight(
    storage: StudyStorage, folder: Path, *keys: str, on_searched: Callable[[Member], None] = lambda member: None
) -> None:
    """One lane: does what is next in the first of the duels that has something to do, until nothing is left in any.

    Args:
        storage: Where the duels are.
        folder: Data folder.
        keys: Of the duels, in the order in which they are fought.
        on_searched: Told of each search that has ended.
    """
    done: set[int] = set()  # a search that a person stops is not begun again by the same lane
    left = list(keys)
    while left:
        waits = False
        for key in tuple(left):
            duel = open_duel(storage, key)
            try:
                if not duel.control.get("is_stopped") and _step(storage, duel, folder, done, on_searched):
                    break
            except TuningError as fault:
                logging.error("%s: %s", duel.plan.name, fault)
                duel.ask(fault=str(fault))
                left.remove(key)
                continue
            if is_over(duel):
                left.remove(key)
            waits = waits or is_held(duel) or any(_is_active(member) for member in duel.searches)
        else:
            if not waits:
                return  # a person is not done, or a search was stopped by itself
            time.sleep(_POLL_SECONDS)


def _step(
    storage: StudyStorage, duel: Duel, folder: Path, done: set[int], on_searched: Callable[[Member], None]
) -> bool:
    """Does the next search of a duel, or what comes after the searches; False where nothing waits for this lane."""
    if (found := _taken(duel, done)) is not None:
        member, run = found
        done.add(member.study.study_id)
        if duel.control.get("is_stopped"):
            member.study.runs.ask_for("stopped")  # whoever stopped the duel did not see this run, which was just made
        try:
            execute(member.study, run, folder)
        except TuningError as fault:
            raise TuningError(f"{member.study.name}: {fault}") from fault
        on_searched(member)
        return True
    if is_ready_for_finals(duel):
        return hold_finals(duel, folder)
    if duel.control.get("opens_lock") and not has_looked(duel):
        return open_lock(storage, duel, folder)
    return False


def is_searched(member: Member) -> bool:
    """Whether a search has come to its end."""
    run = member.study.runs.current()
    return run is not None and run.state == "finished"


def is_over(duel: Duel) -> bool:
    """Whether nothing is left to do, fresh folds and locked rows that were asked for included."""
    is_scored = has_finals(duel) or (all(map(is_searched, duel.searches)) and why_no_finals(duel) != "")
    return is_scored and (not duel.control.get("opens_lock") or has_looked(duel))


def is_starting(duel: Duel) -> bool:
    """Whether processes were just started for it and have not begun anything yet."""
    begun = duel.control.get("begun", 0.0)
    is_new = time.time() - begun < _START_SECONDS and not duel.control.get("is_stopped")
    return is_new and not is_over(duel) and not any(_is_active(m) or _has_run_since(m, begun) for m in duel.searches)


def _has_run_since(member: Member, begun: float) -> bool:
    run = member.study.runs.current()
    return run is not None and run.heartbeat > begun


def is_ready_for_finals(duel: Duel) -> bool:
    """Whether all searches are over, a person's too, and what they chose has not been scored on fresh folds."""
    if (duel.by_hand is not None or duel.plan.code) and not duel.control.get("is_hand_done"):
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


def open_lock(storage: StudyStorage, duel: Duel, folder: Path, n_workers: int = 1) -> bool:
    """Scores what every search has chosen on the locked rows, once each; what was chosen is settled by the finals.

    Returns False where another process is at it.
    """
    if not hold(duel.members[0].study, HOLDER):
        return False
    executor = LocalExecutor(n_workers, log_file=folder / "workers.log")
    try:
        for member in duel.members:
            if member.look() is None:
                chosen = [(duel.plan.name, found)] if (found := _choice(duel, member)) else []
                made = look(storage, member.study, duel.problem, chosen, executor)
                member.set_look(made[0].score if made else None)
    finally:
        executor.shutdown()
    return True


def _choice(duel: Duel, member: Member) -> Configuration | None:
    """What a search has chosen; None where no trial came to its end."""
    table = counted(duel, member)
    row = table.best()
    return None if row is None else table.configuration(row)


def why_no_finals(duel: Duel) -> str:
    """The sentence why there are no fresh folds to score anything on, or ""."""
    return why_no_fresh_folds(duel.spec) if duel.plan.finals else "This duel was made without a final round."


def hold_finals(duel: Duel, folder: Path, n_workers: int = 1) -> bool:
    """Scores what every search has chosen on fresh folds, and keeps that with its study.

    Returns False where another process is at it.
    """
    if not hold(duel.members[0].study, HOLDER):
        return False
    draws, fits = fresh_problems(duel.problem, duel.plan.finals), FitStore(folder / "fits.db")
    executor = LocalExecutor(n_workers, log_file=folder / "workers.log")
    try:
        for member in duel.members:
            final = member.final() or _final(duel, member, draws, executor, fits)
            if final is None:
                break
            member.set_final(final)
    finally:
        executor.shutdown()
        fits.close()
    return True


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


def main(folder: str, *keys: str) -> int:
    """Is one lane of some duels."""
    try:
        fight(begin_spawned("duel"), Path(folder), *keys)
    except TuningError as fault:
        logging.error("%s: %s", " ".join(keys), fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
