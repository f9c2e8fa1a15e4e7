"""What an executor is: it does fits, and knows nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from hpo_core.problem import FitResult, ProblemSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """One fit to do. Plain values only, so that it can travel to another process or machine.

    Attributes:
        spec: The problem.
        configuration: One value for every active parameter.
        fold: From 0.
        resource: Share of the full resource.
        seconds_limit: The fit fails when it takes longer; None means no limit.
    """

    spec: ProblemSpec
    configuration: Mapping[str, Any]
    fold: int
    resource: float = 1.0
    seconds_limit: float | None = None


class Executor(Protocol):
    """Does fits somewhere else than in the calling thread."""

    n_workers: int

    def submit(self, request: FitRequest) -> Future[FitResult]:
        """Queues a fit. The future raises `FitError` when the fit gives no score, whatever became of its worker."""

    def cancel(self, future: Future[FitResult]) -> None:
        """Drops a fit; one that already runs is given a moment to end, then its worker is killed and replaced."""

    def shutdown(self) -> None:
        """Kills what runs and frees all processes; futures that are not done are cancelled."""
