"""The workshop: what takes long is made in the background, once for all learners, and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from hpo_core.search.executor import Executor

T = TypeVar("T")
Report = Callable[[str], None]
_KEPT = 512
_PATIENCE_SECONDS = 0.12


@dataclass(eq=False)
class _Piece:
    future: Future[Any]
    progress: str = ""


@dataclass(eq=False)
class Workshop:
    """Makes things in threads of its own. Safe to share between threads.

    Attributes:
        folder: The data folder, for what is worth keeping longer than the process lives.
        executor: Where fits are done.
    """

    folder: Path
    executor: Executor
    _pieces: OrderedDict[Hashable, _Piece] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "lesson"))

    def get(self, key: Hashable, make: Callable[[Report], T], patience: float = _PATIENCE_SECONDS) -> T | None:
        """What `make` returns; None as long as it is being made.

        Args:
            key: All that the result depends on.
            make: Called once, in a thread, with a function that takes a sentence on how far it is.
            patience: Seconds to wait for it.
        """
        piece = self._piece(key, make)
        wait([piece.future], patience)
        if not piece.future.done():
            return None
        if piece.future.exception() is not None:
            with self._lock:
                self._pieces.pop(key, None)  # so that the next visit tries again
        result: T = piece.future.result()
        return result

    def progress(self, key: Hashable) -> str:
        """What was last said on how far it is; "" for nothing."""
        with self._lock:
            piece = self._pieces.get(key)
        return piece.progress if piece else ""

    def shutdown(self) -> None:
        """Drops what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _piece(self, key: Hashable, make: Callable[[Report], Any]) -> _Piece:
        with self._lock:
            piece = self._pieces.get(key)
            if piece is None:
                piece = self._pieces[key] = _Piece(Future())
                piece.future = self._pool.submit(make, lambda text: setattr(piece, "progress", text))
                self._drop_oldest()
            self._pieces.move_to_end(key)
            return piece

    def _drop_oldest(self) -> None:
        for key in list(self._pieces)[: max(0, len(self._pieces) - _KEPT)]:
            if self._pieces[key].future.done():
                del self._pieces[key]
