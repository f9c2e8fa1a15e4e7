"""Training of one pipeline: how far, and how large the result is."""

from __future__ import annotations

import io
import pickle
from typing import Any


def shrink(model: Any, parameter: str, share: float) -> None:
    """Sets the resource parameter, also inside a wrapper such as a target transformer."""
    names = model.get_params()
    name = parameter if parameter in names else next(n for n in names if n.endswith("__" + parameter))
    model.set_params(**{name: max(1, round(share * names[name]))})


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
