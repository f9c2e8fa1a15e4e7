"""The true response surface of a model on a bundled data set: fitted once, and kept in the data folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpo_core.parameters import Float
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.search.executor import Executor, FitRequest
from hpo_core.space import Configuration, SearchSpace

Floats = NDArray[np.float64]
_LAST = 9  # of those that wait for a worker, behind every person's nudge
_MOST_WAITING = 40


@dataclass(frozen=True, eq=False)
class Response:
    """A model family on a data set over two of its parameters; the others stay at their defaults.

    Attributes:
        data, model: Keys.
        names: The two parameters, both numbers.
        side: How many places are fitted along each of them.
    """

    data: str
    model: str
    names: tuple[str, str]
    side: int = 21

    @cached_property
    def problem(self) -> ModelProblem:
        problem = make_problem(self.data, self.model)
        assert isinstance(problem, ModelProblem)
        return problem

    @property
    def label(self) -> str:
        """As on screen: "SVM on Wine"."""
        return f"{self.problem.family.label} on {self.problem.data.label}"

    @property
    def space(self) -> SearchSpace:
        """The two parameters, without the conditions under which they are active."""
        found = [self.problem.space[name] for name in self.names]
        return SearchSpace(tuple(replace(p, when=None) for p in found if isinstance(p, Float)))

    def scores(self, executor: Executor, folder: Path, report: Callable[[str], None]) -> Floats:
        """The mean score over the folds on a grid of the unit square, shape (side, side), rows along the second
        parameter. Read from the folder, or fitted by the executor, behind all other requests, and written there.

        Raises:
            FitError: The model cannot be fitted somewhere.
        """
        path = folder / "lessons" / f"{self.data}-{self.model}.json"
        known = self._read(path)
        if known is None:
            known = self._fitted(executor, report)
            _write(path, self.problem.fingerprint, known)
        return known

    def _fitted(self, executor: Executor, report: Callable[[str], None]) -> Floats:
        axis = np.linspace(0.0, 1.0, self.side)
        places = [self._configuration(x, y) for y in axis for x in axis]
        folds = tuple(range(self.problem.n_folds))
        values: list[float] = []
        for start in range(0, len(places), _MOST_WAITING):
            futures = [
                executor.submit(FitRequest(spec=self.problem.spec, configuration=place, folds=(fold,), rank=_LAST))
                for place in places[start : start + _MOST_WAITING]
                for fold in folds
            ]
            scores = [future.result()[0].score for future in futures]
            values += np.mean(np.reshape(scores, (-1, len(folds))), axis=1).tolist()
            report(f"{len(values)} of {len(places)} places are fitted")
        return np.reshape(values, (self.side, self.side))

    def _read(self, path: Path) -> Floats | None:
        """None where nothing usable is kept, or what is kept belongs to other data or another version."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            scores, fingerprint = np.array(kept["scores"], dtype=np.float64), kept["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_whole = scores.shape == (self.side, self.side) and bool(np.isfinite(scores).all())
        return scores if is_whole and fingerprint == self.problem.fingerprint else None

    def _configuration(self, x: float, y: float) -> Configuration:
        return self.problem.space.completed(self.space.from_unit((x, y)))


def between(values: Floats, x: float, y: float) -> float:
    """The value at a point of the unit square, bilinear between those of a regular grid, rows along y."""
    n_rows, n_columns = values.shape
    row, column = y * (n_rows - 1), x * (n_columns - 1)
    i, j = min(int(row), n_rows - 2), min(int(column), n_columns - 2)
    up, right = row - i, column - j
    low = values[i, j] * (1 - right) + values[i, j + 1] * right
    high = values[i + 1, j] * (1 - right) + values[i + 1, j + 1] * right
    return float(low * (1 - up) + high * up)


def _write(path: Path, fingerprint: str, scores: Floats) -> None:
    """At once or not at all; a folder that cannot be written costs the time to fit again, and nothing else."""
    try:
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8") as part:
            json.dump({"fingerprint": fingerprint, "scores": scores.tolist()}, part)
        os.replace(part.name, path)
    except OSError:
        return
