"""What an executor is: it does fits, and knows nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from hpo_core.fit_result import FitResult
from hpo_core.problem import ProblemSpec
from hpo_core.schedule import WHOLE, Schedule

FitResults = tuple[FitResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Fits of one configuration. Plain values only, so that they can travel to another process or machine.

    Attributes:
        spec: The problem.
        configuration: One value for every active parameter.
        folds: What to fit, from 0. Further folds than the first are done as well if they cost next to nothing: until a
            fiftieth of a second has passed, or one fails. Those that were not done are to be asked for again.
        schedule: How far to train, and with what before.
        seconds_limit: A fit fails when it takes longer; None means no limit.
        is_pictured: Whether the results hold a picture of the model, see `hpo_core.picture`; for whole fits only.
        rank: Of the requests that wait, those of the lowest rank are done first, in the order of asking.
    """

    spec: ProblemSpec
    configuration: Mapping[str, Any]
    folds: tuple[int, ...]
    schedule: Schedule = WHOLE
    seconds_limit: float | None = None
    is_pictured: bool = False
    rank: int = 0


class Executor(Protocol):
    """Does fits somewhere else than in the calling thread."""

    n_workers: int

    def submit(self, request: FitRequest) -> Future[FitResults]:
        """Queues a request. The future gives the results of its first folds, at least of one.

        It raises `FitError` when the first fit gives no score, whatever became of its worker.
        """

    def cancel(self, future: Future[FitResults]) -> None:
        """Drops a request; one that already runs is given a moment to end, then its worker is killed and replaced."""

    def shutdown(self) -> None:
        """Kills what runs and frees all processes; futures that are not done are cancelled."""
