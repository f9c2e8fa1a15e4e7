"""The finalists round of a study: its best configurations scored on fresh folds before a winner is named.

What was asked for, how far it is and what came of it are attributes of the study, so that every process finds them.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from hpo_core.errors import StudyBusyError, TuningError, UsageError
from hpo_core.problem import Problem
from hpo_core.search.executor import Executor
from hpo_core.search.finalists import (
    MOST_DRAWS,
    Finalist,
    FreshScores,
    Pace,
    choose_trials,
    fresh_problems,
    score_on,
    suited_draws,
    with_default,
)
from hpo_core.search.fits import FitStore
from hpo_core.search.holder import hold, holder_of, release
from hpo_core.studies.owner import SILENCE_SECONDS
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

State = Literal["waiting", "running", "finished", "stopped", "died", "failed"]

_PLAN, _PACE, _FOUND, _STOPPED, _HOLDER = (
    "finals_plan", "finals_pace", "finals_found", "finals_stopped", "finals_holder",
)  # fmt: skip
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.3, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalsPlan:
    """A round as it was asked for.

    Attributes:
        key: Tells it from other rounds.
        finalists: What is scored.
        draws: How often fresh folds are drawn.
        workers: Fits done at the same time.
        asked: Seconds since the epoch; renewed when it is asked for again.
        n_trials: Trials that the study had then.
    """

    key: str
    finalists: tuple[Finalist, ...]
    draws: int
    workers: int
    asked: float
    n_trials: int

    def to_json(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("key", "draws", "workers", "asked", "n_trials")}
        return {**own, "finalists": [one.to_json() for one in self.finalists]}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> FinalsPlan:
        return FinalsPlan(**{**row, "finalists": tuple(map(Finalist.from_json, row["finalists"]))})


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalsFound:
    """What a round has found.

    Attributes:
        plan: What was scored.
        scores: Of each finalist of the plan.
        folds: The protocol of one draw, in words.
        ended: Seconds since the epoch.
    """

    plan: FinalsPlan
    scores: tuple[FreshScores, ...]
    folds: str
    ended: float

    def to_json(self) -> dict[str, Any]:
        scores = [asdict(one) for one in self.scores]
        return {"plan": self.plan.to_json(), "scores": scores, "folds": self.folds, "ended": self.ended}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> FinalsFound:
        scores = tuple(FreshScores(tuple(one["scores"]), one["why"]) for one in row["scores"])
        return FinalsFound(**{**row, "plan": FinalsPlan.from_json(row["plan"]), "scores": scores})


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalsRound:
    """The last round of a study as it stands.

    Attributes:
        plan: What was asked for.
        state: `died` where its process ended before it was done: what it fitted is kept, and it can go on.
        pace: How far it is.
        fault: Why it failed, else "".
        found: What the last round that came to its end has found, of this plan or of one before; None before.
    """

    plan: FinalsPlan
    state: State
    pace: Pace
    fault: str = ""
    found: FinalsFound | None = None

    @property
    def is_active(self) -> bool:
        """Whether a process works on it, or is just being started."""
        return self.state in ("waiting", "running")

    @property
    def can_go_on(self) -> bool:
        """Whether it was broken off."""
        return self.state in ("stopped", "died", "failed")


def finals_of(study: Study) -> FinalsRound | None:
    """The last round of a study; None before the first."""
    kept = study.attributes
    if _PLAN not in kept:
        return None
    plan = FinalsPlan.from_json(kept[_PLAN])
    found = FinalsFound.from_json(kept[_FOUND]) if _FOUND in kept else None
    said = kept.get(_PACE) or {}
    is_claimed = said.get("key") == plan.key
    pace = Pace(*said["pace"]) if is_claimed else Pace(0, 0, None)
    fault = said.get("fault", "") if is_claimed else ""
    return FinalsRound(
        plan=plan,
        state=_state(study, kept, plan, found, is_claimed=is_claimed, fault=fault),
        pace=pace,
        fault=fault,
        found=found,
    )


def _state(
    study: Study, kept: Mapping[str, Any], plan: FinalsPlan, found: FinalsFound | None, *, is_claimed: bool, fault: str
) -> State:
    if found is not None and found.plan.key == plan.key:
        return "finished"
    if kept.get(_STOPPED) == plan.key:
        return "stopped"
    if fault:
        return "failed"
    if is_claimed:
        return "running" if holder_of(study, _HOLDER) is not None else "died"
    return "waiting" if time.time() - plan.asked <= SILENCE_SECONDS else "died"


def ask_for_finals(
    study: Study, finalists: tuple[Finalist, ...], draws: int, *, workers: int = 1, n_trials: int = 0
) -> FinalsRound:
    """A round that waits for `hold_finals_round`; the one under way if there is one."""
    now = finals_of(study)
    if now is not None and now.is_active:
        return now
    plan = FinalsPlan(
        key=uuid.uuid4().hex, finalists=finalists, draws=draws, workers=workers, asked=time.time(), n_trials=n_trials
    )
    asked = _put(study, plan)
    study.runs.add_steering("finals", {"n_finalists": len(finalists), "draws": draws})
    return asked


def ask_again(
    study: Study, problem: Problem, table: TrialTable, numbers: Sequence[int], *, workers: int = 1
) -> FinalsRound:
    """A round of these trials beside those of the last one; if all were in it, on more folds than before.

    Raises:
        UsageError: None of the trials has come to its end, or they are too many.
        StudyBusyError: A round is under way.
    """
    now = finals_of(study)
    if now is not None and now.is_active:
        raise StudyBusyError("A finalists round is under way. Wait for its end, or cancel it.")
    chosen, draws = choose_trials(problem, table, numbers), suited_draws(problem.spec)
    if now is not None and now.found is not None:
        before = now.found.plan
        scored = {one.trial for one in before.finalists}
        is_new = any(one.trial not in scored for one in chosen)
        draws = max(before.draws, draws) if is_new else min(MOST_DRAWS, before.draws + draws)
        chosen = with_default(problem, table, [*chosen, *before.finalists])
    return ask_for_finals(study, chosen, draws, workers=workers, n_trials=int(table.is_complete.sum()))


def ask_to_go_on(study: Study) -> FinalsRound:
    """The round that was broken off, made to wait for `hold_finals_round` again; the one under way if there is one.

    Raises:
        UsageError: There is nothing to go on with.
    """
    now = finals_of(study)
    if now is not None and now.is_active:
        return now
    if now is None or not now.can_go_on:
        raise UsageError(f"The study {study.name!r} has no finalists round that was broken off.")
    return _put(study, replace(now.plan, key=uuid.uuid4().hex, asked=time.time()))


def stop_finals(study: Study) -> None:
    """Cancels the round under way; its process looks between fits, and what it fitted is kept."""
    now = finals_of(study)
    if now is not None and now.is_active:
        study.set_attribute(_STOPPED, now.plan.key)


def hold_finals_round(
    study: Study,
    problem: Problem,
    key: str,
    executor: Executor,
    fits: FitStore,
    on_progress: Callable[[Pace], None] = lambda _: None,
) -> None:
    """Does the round that was asked for under this key, in this process; what becomes of it stands in the study.

    Nothing is done where the round is no longer wanted, or another process is at it.
    """
    if not _is_wanted(study, key) or not _has_hold(study, key):
        return
    said = _Said(study, key, on_progress)
    try:
        said.pace(Pace(0, 0, None), is_due=True)
        now = finals_of(study)
        if now is not None and now.plan.key == key:
            _score(study, problem, now.plan, executor, fits, said)
    except TuningError as fault:
        said.fault(str(fault))
    except Exception as fault:  # the edge of this piece of work: the search before it is not to blame
        mark = uuid.uuid4().hex[:8]
        logging.exception("finalists round failed, %s", mark)
        said.fault(f"The round broke off with {type(fault).__name__}: {fault} (trace in the log under {mark}).")
    finally:
        release(study, _HOLDER)


def fail_finals(study: Study, key: str, sentence: str) -> None:
    """Says why a round cannot even begin."""
    _Said(study, key, lambda _: None).fault(sentence)


def _score(study: Study, problem: Problem, plan: FinalsPlan, executor: Executor, fits: FitStore, said: _Said) -> None:
    draws = fresh_problems(problem, plan.draws)
    scores = score_on(
        draws,
        plan.finalists,
        executor,
        fits,
        is_wanted=_Looker(study, plan.key),
        on_progress=said.pace,
    )
    if scores is not None:
        found = FinalsFound(plan=plan, scores=scores, folds=draws[0].spec.protocol.title, ended=time.time())
        study.set_attribute(_FOUND, found.to_json())


def _put(study: Study, plan: FinalsPlan) -> FinalsRound:
    study.set_attribute(_PLAN, plan.to_json())
    now = finals_of(study)
    assert now is not None
    return now


def _is_wanted(study: Study, key: str) -> bool:
    kept = study.attributes
    return kept.get(_PLAN, {}).get("key") == key and kept.get(_STOPPED) != key


def _has_hold(study: Study, key: str) -> bool:
    """Whether this process may do it; one that is still at a round before is waited for."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not hold(study, _HOLDER):
        is_same = (study.attributes.get(_PACE) or {}).get("key") == key
        if is_same or time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


class _Looker:
    """Whether a round is still wanted, asked of the storage a few times a second."""

    def __init__(self, study: Study, key: str) -> None:
        self._study, self._key = study, key
        self._next, self._last = 0.0, True

    def __call__(self) -> bool:
        if time.monotonic() >= self._next:
            self._last = _is_wanted(self._study, self._key)
            self._next = time.monotonic() + _LOOK_SECONDS
        return self._last


class _Said:
    """What a round says of itself, a few times a second."""

    def __init__(self, study: Study, key: str, on_progress: Callable[[Pace], None]) -> None:
        self._study, self._key, self._on_progress = study, key, on_progress
        self._next, self._pace = 0.0, Pace(0, 0, None)

    def pace(self, pace: Pace, *, is_due: bool = False) -> None:
        self._pace = pace
        self._on_progress(pace)
        if is_due or time.monotonic() >= self._next:
            self._write("")
            self._next = time.monotonic() + _LOOK_SECONDS

    def fault(self, sentence: str) -> None:
        self._write(sentence)

    def _write(self, fault: str) -> None:
        self._study.set_attribute(_PACE, {"key": self._key, "pace": list(self._pace), "fault": fault})
