"""Training along a schedule: going on from what is trained already, and keeping what may be gone on from."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline

from hpo_core.models import Resource
from hpo_core.schedule import Segment

_MOST_BYTES = 256 * 2**20  # of one worker and problem

Build = Callable[[Segment], Pipeline]


@dataclass(frozen=True, slots=True)
class State:
    """A trained pipeline, and along which segments it was trained. Never changed: it is copied to go on from it."""

    segments: tuple[Segment, ...]
    pipeline: Pipeline
    n_bytes: int


class States:
    """The last states that fit into memory, of one problem. Safe to share between threads."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._order: OrderedDict[tuple[int, str], State] = OrderedDict()

    def keep(self, fold: int, state: State) -> None:
        """Takes a state in, and drops those that were not used for longest where there is no room."""
        with self._lock:
            self._order[fold, repr(state.segments)] = state
            self._order.move_to_end((fold, repr(state.segments)))
            while sum(s.n_bytes for s in self._order.values()) > self._most_bytes:
                self._order.popitem(last=False)

    def longest(self, fold: int, segments: tuple[Segment, ...], is_seamless: bool) -> State | None:
        """The state that is furthest on the way along these segments.

        Args:
            fold: Of which fold.
            segments: The way.
            is_seamless: Whether training may go on within a segment, not only from the end of one.
        """
        with self._lock:
            fits = [
                (key, state)
                for key, state in self._order.items()
                if key[0] == fold and _leads_to(state.segments, segments, is_seamless)
            ]
            if not fits:
                return None
            key, state = max(fits, key=lambda found: found[1].segments[-1].until)
            self._order.move_to_end(key)
            return state


def _leads_to(known: tuple[Segment, ...], segments: tuple[Segment, ...], is_seamless: bool) -> bool:
    n = len(known)
    if n > len(segments) or known[:-1] != segments[: n - 1]:
        return False
    last, wanted = known[-1], segments[n - 1]
    if last.configuration != wanted.configuration:
        return False
    return last.until == wanted.until or (is_seamless and last.until < wanted.until)


def train(
    resource: Resource, segments: tuple[Segment, ...], build: Build, known: State | None, x: Any, y: Any
) -> Pipeline:
    """A pipeline trained along the segments, from the known state on where there is one.

    Args:
        resource: How the model goes on.
        segments: Configurations, and up to which share of its resource each trains.
        build: An untrained pipeline for a segment's configuration, set to its whole resource.
        known: A state on the way; it is left as it is.
        x, y: Training rows.
    """
    assert resource.grow is not None
    if known is None:
        first, before, pipeline = 0, 0, build(segments[0])
        prepared = pipeline[:-1].fit_transform(x, y)
    else:
        first, pipeline = len(known.segments) - 1, copy.deepcopy(known.pipeline)
        before = _units(build(segments[first])[-1], resource, known.segments[-1].until)
        prepared = pipeline[:-1].transform(x)
    for i in range(first, len(segments)):
        fresh = build(segments[i])[-1]
        after = _units(fresh, resource, segments[i].until)
        if after > before:
            resource.grow(pipeline[-1], prepared, y, before, after, fresh if i > first else None)
        before = max(before, after)
    return pipeline


def _units(model: Any, resource: Resource, share: float) -> int:
    """Epochs or trees of a share."""
    return max(1, round(share * int(model.get_params()[parameter_of(model, resource.parameter)])))


def parameter_of(model: Any, parameter: str) -> str:
    """The name of a parameter in a model, also inside a wrapper such as a target transformer."""
    names = model.get_params()
    return parameter if parameter in names else next(n for n in names if n.endswith("__" + parameter))


def shrink(model: Any, parameter: str, share: float) -> None:
    """Sets the resource parameter to a share of itself."""
    name = parameter_of(model, parameter)
    model.set_params(**{name: max(1, round(share * model.get_params()[name]))})


class _Counter(io.RawIOBase):
    """A file that keeps only how much was written to it."""

    n_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.n_bytes += size
        return size


def written_bytes(model: Any) -> int:
    """Size of a model when it is written out."""
    counter = _Counter()
    pickle.dump(model, counter, protocol=5)
    return counter.n_bytes
