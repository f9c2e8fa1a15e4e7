"""Recovery: what a runner that died left behind is brought in order by whoever opens its study next."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from optuna.trial import TrialState

from hpo_core.schedule import Schedule
from hpo_core.studies.run import Live, LiveTrial, Pending, Run, Spent
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from hpo_core.studies.trial import FinishedTrial

MAX_TRIES = 2
_SAME_MOMENT = 1e-5  # seconds; a database keeps microseconds
LOST = "The runner ended unexpectedly while this trial was in flight."
_MESSAGE = "The runner ended unexpectedly. Resume to go on where it stopped."


def recover(study: Study) -> bool:
    """If the study's runner died: fails its trials in flight with the reason and queues them again, twice at most.

    Of several processes that try, one succeeds. Returns whether there was something to recover.
    """
    run = study.runs.bury(_MESSAGE)
    if run is None:
        return False
    table = study.read()
    lost = _unrecorded(table, run.live.in_flight)
    pending = (*_queued_again(lost), *run.live.pending)
    study.runs.publish(run.id, live=Live(pending=pending), spent=spent_of(run, table))
    study.record(*(_failed(trial) for trial in lost))
    return True


def recover_all(storage: StudyStorage) -> int:
    """Recovers every study whose runner died; returns how many there were."""
    dead = [
        s.name for s in storage.summaries() if s.run is not None and s.run.state in ("starting", "running", "paused")
    ]
    return sum(recover(storage.study(name)) for name in dead)


def _unrecorded(table: TrialTable, in_flight: tuple[LiveTrial, ...]) -> tuple[LiveTrial, ...]:
    """Without those that were recorded just before the runner died."""
    return tuple(t for t in in_flight if not _is_recorded(table, t))


def _is_recorded(table: TrialTable, trial: LiveTrial) -> bool:
    began_then = np.flatnonzero(np.isclose(table.started, trial.started, rtol=0, atol=_SAME_MOMENT))
    return any(table.configuration(int(row)) == trial.configuration for row in began_then)


def waiting(run: Run, table: TrialTable) -> list[Pending]:
    """What a run that goes on has to do first: what it had in flight and what it had queued, unless it was recorded.

    A live record is some tenths of a second older than the last trial of a runner that died.
    """
    queued = [t.to_do() for t in run.live.in_flight]
    queued += run.live.pending
    if not queued:
        return []
    rows = np.flatnonzero((table.started >= run.started) & (table.reasons != LOST))
    done = [(str(table.arms[row]), table.configuration(row), _schedule(table, row)) for row in rows.tolist()]
    return [p for p in queued if (p.arm, p.configuration, Schedule.of_thought(p.thought)) not in done]


def spent_of(run: Run, table: TrialTable) -> Spent:
    """What a run has spent, also where its runner died or broke off before it could say so."""
    is_own = (table.started >= run.started) & (table.arms == run.settings.method) & (table.reasons != LOST)
    if run.settings.starts_with_default:
        is_own |= (table.started >= run.started) & (table.arms == "default")
    return Spent(
        trials=max(run.spent.trials, int(is_own.sum())),
        fits=max(run.spent.fits, _fits_of(table, np.flatnonzero(is_own))),
        seconds=run.spent.seconds,
    )


def rounded_fits(fits: float) -> float:
    """A count of fits, free of what adding up shares of partial fits leaves behind."""
    return round(fits, 9)


def _fits_of(table: TrialTable, rows: NDArray[np.int64]) -> float:
    """The fits of these trials, a partial one as its share."""
    n_done = np.isfinite(table.fold_scores[rows]).sum(axis=1)
    return rounded_fits(
        sum(n * _schedule(table, row).cost for row, n in zip(rows.tolist(), n_done.tolist(), strict=True))
    )


def _schedule(table: TrialTable, row: int) -> Schedule:
    return Schedule.of_thought(table.thought(row))


def _queued_again(lost: tuple[LiveTrial, ...]) -> tuple[Pending, ...]:
    return tuple(t.to_do(tries=t.tries + 1) for t in lost if t.tries + 1 <= MAX_TRIES)


def _failed(trial: LiveTrial) -> FinishedTrial:
    return FinishedTrial(
        configuration=trial.configuration,
        state=TrialState.FAIL,
        value=None,
        arm=trial.arm,
        started=trial.started,
        completed=time.time(),
        fold_scores=trial.fold_scores,
        reason=LOST,
        thought=trial.thought,
    )
