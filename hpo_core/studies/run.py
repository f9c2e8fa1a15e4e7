"""A run: one execution of a study by a runner process, with what was asked of it and what it does at this moment."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from hpo_core.errors import UsageError
from hpo_core.space import Configuration
from hpo_core.studies.owner import SILENCE_SECONDS, Owner

__all__ = ["Budget", "Event", "Live", "LiveTrial", "Owner", "Pending", "Run", "RunSettings", "Spent"]

Wanted = Literal["running", "paused", "stopped"]
RunState = Literal["starting", "running", "paused", "finished", "stopped", "died", "failed"]
ACTIVE_STATES = ("starting", "running", "paused")


def to_json(record: Any) -> str:
    """The JSON text of one of the records below; NumPy numbers become plain ones."""
    return json.dumps(dataclasses.asdict(record), default=lambda number: number.item())


@dataclass(frozen=True, slots=True)
class Budget:
    """The limit of a run: so many trials, fits or seconds of the search."""

    kind: Literal["trials", "fits", "seconds"]
    amount: float

    def __post_init__(self) -> None:
        if self.kind not in ("trials", "fits", "seconds"):
            raise UsageError(f"A budget counts trials, fits or seconds; got {self.kind!r}.")
        if not 0 < self.amount < float("inf"):
            raise UsageError(f"A budget must be above 0 {self.kind}; got {self.amount!r}.")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run searches. Stays as it is for the life of the run.

    Attributes:
        method, options: Key of a search method, and its options.
        pruning, pruning_options: Key of a rule between folds, and its options.
        stops_when: Ends the run when the expected gain of more trials is below the "noise", or below this figure; None
            never does.
    """

    method: str
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    workers: int = 1
    pruning: str = "none"
    learns_from_manual: bool = True
    starts_with_default: bool = True
    fit_seconds_limit: float | None = None
    pruning_options: dict[str, Any] = field(default_factory=dict)
    stops_when: Literal["noise"] | float | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used of its budget so far. A partial fit counts as its share of a whole one."""

    trials: int = 0
    fits: float = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveTrial:
    """A trial in flight: the scores of the folds done so far, since when (epoch seconds), how often begun before, and
    what its method thought of it."""

    configuration: Configuration
    arm: str
    fold_scores: tuple[float, ...]
    started: float
    tries: int = 0
    thought: dict[str, Any] = field(default_factory=dict)

    def to_do(self, tries: int | None = None) -> Pending:
        """The same trial, to be begun again."""
        return Pending(self.configuration, self.arm, self.tries if tries is None else tries, self.thought)


@dataclass(frozen=True, slots=True)
class Pending:
    """A configuration that waits for its turn, how often it was begun before, and what its method thought of it."""

    configuration: Configuration
    arm: str
    tries: int = 0
    thought: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """What a run is doing at this moment."""

    in_flight: tuple[LiveTrial, ...] = ()
    pending: tuple[Pending, ...] = ()
    seconds_left: float | None = None
    message: str = ""

    @staticmethod
    def from_json(text: str) -> Live:
        row = json.loads(text)
        return Live(
            tuple(LiveTrial(**{**t, "fold_scores": tuple(t["fold_scores"])}) for t in row.pop("in_flight")),
            tuple(Pending(**p) for p in row.pop("pending")),
            **row,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to a run, and when (epoch seconds)."""

    time: float
    what: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as the database has it.

    Attributes:
        wanted: What the person asks of it.
        state: What it does, as its runner last said.
        owner: The runner process; None until one has claimed it.
        heartbeat: Time of the last sign of life, epoch seconds.
        message: Why it failed, or what it came to.
    """

    id: int
    settings: RunSettings
    budget: Budget
    spent: Spent
    wanted: Wanted
    state: RunState
    owner: Owner | None
    heartbeat: float
    started: float
    live: Live
    message: str

    @property
    def is_active(self) -> bool:
        """Whether a runner works on it, or is just being started."""
        if self.state not in ACTIVE_STATES:
            return False
        if self.owner is None:
            return self.state == "starting" and time.time() - self.heartbeat <= SILENCE_SECONDS
        return self.owner.is_alive(self.heartbeat)
