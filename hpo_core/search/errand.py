"""Errands: work on a study that takes long and is no search, done by a process of its own that outlives its starter.

An errand has no record but a few attributes of its study: what was asked, who is at it, how far that is, and why it
ended badly. Whoever opens the study finds it, also after the server or the process was killed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, field
from typing import Any

from hpo_core.errors import StudyBusyError, TuningError
from hpo_core.search.executor import Executor, FitRequest, FitResults
from hpo_core.search.holder import hold, holder_of, release
from hpo_core.studies.owner import SILENCE_SECONDS
from hpo_core.studies.study import Study

_ORDER, _TAKEN, _WISH, _HOLDER, _LIVE, _FAULT = "order", "taken", "called_off", "holder", "live", "fault"
_LIVE_SECONDS, _LOOK_SECONDS = 0.5, 0.2


class CalledOff(TuningError):  # noqa: N818 - a wish of the person's, not a fault
    """Somebody has called the errand off."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an errand is.

    Attributes:
        done, total: Steps.
        share: Of the whole, from 0 to 1.
        seconds_left: None where unknown.
        doing: What it does, in words.
    """

    done: int = 0
    total: int = 0
    share: float = 0.0
    seconds_left: float | None = None
    doing: str = ""


@dataclass(frozen=True, slots=True)
class ErrandState:
    """How an errand stands.

    Attributes:
        order: What was asked for last; empty before the first time.
        is_active: Whether a process is at it, or is just being started.
        is_called_off: Whether the order was called off.
        progress: As its process last said.
        fault: The sentence why it could not be done, else "".
    """

    order: Mapping[str, Any] = field(default_factory=dict)
    is_active: bool = False
    is_called_off: bool = False
    progress: Progress = Progress()
    fault: str = ""


class Errand:
    """One kind of errand of one study.

    Args:
        study: The study.
        kind: Names it among the errands of the study.
    """

    def __init__(self, study: Study, kind: str) -> None:
        self.study, self._kind = study, kind
        self._next_live = self._next_look = 0.0

    def state(self) -> ErrandState:
        found = self._read()
        order = found.get(_ORDER, {})
        key = order.get("id")
        is_called_off = bool(order) and found.get(_WISH) == key
        is_starting = bool(order) and found.get(_TAKEN) != key and _is_fresh(order["time"]) and not is_called_off
        fault, live = found.get(_FAULT, {}), found.get(_LIVE, {})
        return ErrandState(
            order=order,
            is_active=is_starting or holder_of(self.study, self._key(_HOLDER)) is not None,
            is_called_off=is_called_off,
            progress=Progress(**live["progress"]) if live.get("order", "") == key else Progress(),
            fault=fault.get("text", "") if fault.get("order", "") == key else "",
        )

    def ask(self, **what: Any) -> str:
        """Asks for it; returns the id of the order.

        Raises:
            StudyBusyError: It is being done.
        """
        if self.state().is_active:
            raise StudyBusyError(f"That is being done for the study {self.study.name!r} already.")
        order = uuid.uuid4().hex
        self._write(_ORDER, {**what, "id": order, "time": time.time()})
        return order

    def call_off(self) -> None:
        """Ends what was asked for last; its process obeys within a second."""
        self._write(_WISH, self.state().order.get("id", ""))

    # In the process that does it

    def hold(self) -> bool:
        """Makes this process the one that does what was asked last; whether no other one is at it."""
        if not hold(self.study, self._key(_HOLDER)):
            return False
        self._write(_TAKEN, self.state().order.get("id"))
        return True

    def release(self, fault: str = "") -> None:
        """Says that nobody is at it any more, and why it could not be done."""
        if fault:
            self._write(_FAULT, {"order": self.state().order.get("id"), "text": fault})
        release(self.study, self._key(_HOLDER))

    def tell(self, progress: Progress, *, force: bool = False) -> None:
        """Shows how far it is, a few times a second at most, and looks whether it was called off.

        Raises:
            CalledOff: It was.
        """
        now = time.monotonic()
        if force or now >= self._next_live:
            self._next_live = now + _LIVE_SECONDS
            order = self._read().get(_ORDER, {}).get("id")
            self._write(_LIVE, {"order": order, "progress": asdict(progress)})
        self.check()

    def check(self, *, force: bool = False) -> None:
        """Looks, a few times a second at most or by force, whether it was called off.

        Raises:
            CalledOff: It was.
        """
        if time.monotonic() < self._next_look and not force:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        if self.is_called_off:
            raise CalledOff("It was called off.")

    @property
    def is_called_off(self) -> bool:
        found = self._read()
        order = found.get(_ORDER, {}).get("id")
        return order is not None and found.get(_WISH) == order

    def score(self, executor: Executor, request: FitRequest) -> float:
        """The score of the first fold of a request, looking meanwhile whether the errand was called off.

        Raises:
            FitError: The fit gives none.
            CalledOff: It was; the fit is dropped.
        """
        future: Future[FitResults] = executor.submit(request)
        try:
            while not wait([future], timeout=_LOOK_SECONDS).done:
                self.check()
        except BaseException:
            executor.cancel(future)
            raise
        return future.result()[0].score

    # The record

    def _key(self, name: str) -> str:
        return f"errand:{self._kind}:{name}"

    def _read(self) -> dict[str, Any]:
        prefix = self._key("")
        return {
            key.removeprefix(prefix): value for key, value in self.study.attributes.items() if key.startswith(prefix)
        }

    def _write(self, name: str, value: Any) -> None:
        """Each entry by itself, so that processes do not undo each other's."""
        self.study.set_attribute(self._key(name), value)


def _is_fresh(moment: float) -> bool:
    return time.time() - moment <= SILENCE_SECONDS
