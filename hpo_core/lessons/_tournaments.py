"""Tournaments over learning curves: who was trained how far, and what that costs on several workers."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
import pandas as pd

from hpo_core.lessons._asking import asked_trials
from hpo_core.lessons._learning_curves import Curves, Floats
from hpo_core.methods import SearchMethod, propose, thought_of
from hpo_core.space import Configuration


@dataclass(frozen=True, slots=True, eq=False)
class Runner:
    """A configuration in a tournament.

    Attributes:
        bracket: In which, from 0.
        slot: Its place on the first rung; with the bracket, it names the runner.
        configuration: What it is.
        epochs: After how many it was scored on each of its rungs, ascending.
    """

    bracket: int
    slot: int
    configuration: Configuration
    epochs: tuple[float, ...]

    @property
    def last_rung(self) -> int:
        return len(self.epochs) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """How far a tournament has come.

    Attributes:
        bracket: Which one, from 0.
        rung: The one that has just ended; None where rungs do not end together.
        trained: Runners with the epochs that each has been trained for so far.
        is_in: Which of them are on this rung, or on any above the first.
    """

    bracket: int
    rung: int | None
    trained: tuple[tuple[Runner, float], ...]
    is_in: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A worker trains a runner from one rung to the next: from when to when, in seconds."""

    worker: int
    bracket: int
    slot: int
    rung: int
    begin: float
    end: float


def runners_of(method: SearchMethod, curves: Curves, longest: int, n_trials: int, seed: int) -> list[Runner]:
    """The runners of a method's first trials, asked for one after the other.

    Args:
        method: One that works with rungs.
        curves: What each configuration would do.
        longest: Epochs of a whole training.
        n_trials: How many rungs are run in all.
        seed: Of the configurations.
    """

    def score(configuration: Configuration, thought: Mapping[str, Any]) -> float:
        return float(curves.loss(configuration, thought["resource"] * longest))

    trials = asked_trials(method.sampler(curves.space, seed), curves.space, score, n_trials)
    return _gathered(((t.configuration, t.thought) for t in trials), longest)


def whole_rungs(runners: Sequence[Runner], curves: Curves, n_workers: int) -> list[Job]:
    """The jobs when every worker waits until a rung is complete, as the next one is known only then."""
    jobs: list[Job] = []
    places = sorted({(r.bracket, rung) for r in runners for rung in range(len(r.epochs))})
    clock = 0.0
    for bracket, rung in places:
        free = [(clock, worker) for worker in range(n_workers)]
        for runner in (r for r in runners if r.bracket == bracket and r.last_rung >= rung):
            begin, worker = heapq.heappop(free)
            end = begin + _seconds(runner.configuration, runner.epochs, rung, curves)
            jobs.append(Job(worker, bracket, runner.slot, rung, begin, end))
            heapq.heappush(free, (end, worker))
        clock = max(end for end, _ in free)
    return jobs


def without_waiting(
    method: SearchMethod, curves: Curves, longest: int, seconds: float, n_workers: int, seed: int
) -> tuple[list[Runner], list[Job]]:
    """A method asked by each worker as soon as it is free, with the trials of the others in flight.

    Jobs that have not ended after so many seconds are cut off there; their runners are known up to the rung before.
    """
    study = optuna.create_study(sampler=method.sampler(curves.space, seed))
    free = [(0.0, worker, -1, 0.0) for worker in range(n_workers)]  # with the trial that it ends, and its loss
    asked: list[tuple[Configuration, Mapping[str, Any]]] = []
    epochs: dict[int, tuple[float, ...]] = {}
    jobs: list[Job] = []
    while free[0][0] < seconds:
        clock, worker, ended, loss = heapq.heappop(free)
        if ended >= 0:
            study.tell(ended, loss)
        trial, configuration = propose(study, curves.space)
        thought = thought_of(study.get_trials(deepcopy=False)[trial.number])
        slot, reached = thought["slot"], thought["resource"] * longest
        epochs[slot] = (*epochs.get(slot, ()), reached)
        end = clock + _seconds(configuration, epochs[slot], thought["rung"], curves)
        jobs.append(Job(worker, 0, slot, thought["rung"], clock, min(end, seconds)))
        if end <= seconds:
            asked.append((configuration, thought))
        heapq.heappush(free, (end, worker, trial.number, float(curves.loss(configuration, reached))))
    return _gathered(asked, longest), jobs


def after_rungs(runners: Sequence[Runner]) -> list[Snapshot]:
    """One for each rung of each bracket, as they end one after the other."""
    snapshots = []
    for bracket, rung in sorted({(r.bracket, rung) for r in runners for rung in range(len(r.epochs))}):
        here = [r for r in runners if r.bracket == bracket]
        trained = tuple((r, r.epochs[min(rung, r.last_rung)]) for r in here)
        snapshots.append(Snapshot(bracket, rung, trained, tuple(r.last_rung >= rung for r in here)))
    return snapshots


def after_jobs(runners: Sequence[Runner], jobs: Sequence[Job], n_snapshots: int) -> list[Snapshot]:
    """So many at most, evenly over the jobs as they end."""
    known = {(r.slot, rung) for r in runners for rung in range(len(r.epochs))}
    ended = sorted((job for job in jobs if (job.slot, job.rung) in known), key=lambda job: job.end)
    snapshots = []
    for n in np.unique(np.linspace(0, len(ended), n_snapshots + 1).round().astype(int))[1:].tolist():
        highest: dict[int, int] = {}
        for job in ended[:n]:
            highest[job.slot] = max(job.rung, highest.get(job.slot, 0))
        here = [r for r in runners if r.slot in highest]
        trained = tuple((r, r.epochs[highest[r.slot]]) for r in here)
        snapshots.append(Snapshot(0, None, trained, tuple(highest[r.slot] > 0 for r in here)))
    return snapshots


def winner_of(runners: Sequence[Runner], curves: Curves) -> Runner:
    """Of those that were trained longest, the one with the lowest loss."""
    return min(runners, key=lambda r: (-r.epochs[-1], float(curves.loss(r.configuration, r.epochs[-1]))))


def idle_share(jobs: Sequence[Job], n_workers: int) -> float:
    """The share of the workers' time, up to the end of the last job, in which they had nothing to do."""
    end = max(job.end for job in jobs)
    return 1 - sum(job.end - job.begin for job in jobs) / (n_workers * end)


def bracket_table(runners: Sequence[Runner]) -> pd.DataFrame:
    """How many configurations each rung of each bracket had, and after how many epochs they were scored."""
    rows = [(r.bracket + 1, rung + 1, round(epochs, 2)) for r in runners for rung, epochs in enumerate(r.epochs)]
    table = pd.DataFrame(rows, columns=["bracket", "rung", "epochs each"])
    return table.groupby(["bracket", "rung", "epochs each"]).size().reset_index(name="configurations")


def _seconds(configuration: Configuration, epochs: Sequence[float], rung: int, curves: Curves) -> float:
    """Of training on from the rung below."""
    before = epochs[rung - 1] if rung else 0.0
    return (epochs[rung] - before) * curves.seconds(configuration)


def _gathered(asked: Iterable[tuple[Configuration, Mapping[str, Any]]], longest: int) -> list[Runner]:
    found: dict[tuple[int, int], Runner] = {}
    for configuration, thought in asked:
        place = (int(thought["bracket"]), int(thought["slot"]))
        before = found[place].epochs if place in found else ()
        found[place] = Runner(*place, configuration, (*before, float(thought["resource"] * longest)))
    return list(found.values())


def end_losses(runners: Sequence[Runner], curves: Curves, longest: int) -> Floats:
    """What each would have come to with a whole training, shape (n,)."""
    return np.array([float(curves.loss(runner.configuration, longest)) for runner in runners])
