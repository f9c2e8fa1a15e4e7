"""A search on pure noise: labels that have nothing to do with the columns, so that no model can beat a coin."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.analysis.luck import LuckCurve, luck_curve
from hpo_core.analysis.optimism import Corrected, corrected_scores
from hpo_core.lessons._flights import asked
from hpo_core.methods import METHODS
from hpo_core.problem import ProblemSpec, open_problem
from hpo_core.protocol import Protocol
from hpo_core.search.executor import Executor, FitRequest
from hpo_core.space import Configuration

Floats = NDArray[np.float64]
CHANCE = 0.5
_COLUMNS = 5
_RANK = 9  # of those that wait for a worker, behind every person's nudge
_MODEL = "decision_tree"
_TARGET = "coin"


@dataclass(frozen=True, slots=True)
class NoiseSearch:
    """Random search over decision trees.

    Attributes:
        rows: Rows that it validates on; as many are locked away.
        folds: Of the validation.
        trials: Configurations that it tries.
        seed: Of the rows, the folds and the search.
    """

    rows: int
    folds: int
    trials: int
    seed: int

    def run(self, executor: Executor, folder: Path, report: Callable[[str], None]) -> Noise:
        """Fits all of it, behind all other requests. The table is written to the folder, where workers read it.

        Raises:
            FitError: A model cannot be fitted.
        """
        protocol = Protocol(folds=self.folds, test_fraction=0.5, seed=self.seed)
        spec = ProblemSpec(data=str(self._table(folder)), model=_MODEL, target=_TARGET, protocol=protocol)
        problem = open_problem(spec)
        opened = replace(problem.spec, protocol=protocol.opened())
        points = asked(METHODS["random"], problem.space, lambda _configuration: 0.0, self.trials, self.seed)
        points = np.nan_to_num(points, nan=0.5)  # of what is inactive no value is taken
        valid, test = [], []
        for start in range(0, len(points), 10):
            some = [problem.space.from_unit(point) for point in points[start : start + 10]]
            valid += _scores(executor, problem.spec, some, self.folds)
            test += _scores(executor, opened, some, 1)
            report(f"{len(valid)} of {self.trials} trials are done")
        return Noise(np.array(valid), np.array(test)[:, 0])

    def _table(self, folder: Path) -> Path:
        path = folder / "lessons" / f"coin-{self.rows}-{self.seed}.csv"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False, newline="") as part:
                coin_flips(2 * self.rows, self.seed).to_csv(part, index=False)
            os.replace(part.name, path)
        return path


@dataclass(frozen=True, eq=False)
class Noise:
    """What was found on noise: accuracies, of which every one above a half is luck.

    Attributes:
        valid: Of each trial and fold, shape (n, k).
        test: Of each trial on the locked rows, shape (n,).
    """

    valid: Floats
    test: Floats

    def __len__(self) -> int:
        return len(self.test)

    @cached_property
    def means(self) -> Floats:
        """Validation score of each trial, shape (n,)."""
        return np.asarray(self.valid.mean(axis=1))

    @cached_property
    def winners(self) -> NDArray[np.intp]:
        """After each trial, which one has the best validation score so far, shape (n,)."""
        is_best = self.means > np.concatenate([[-np.inf], np.maximum.accumulate(self.means)[:-1]])
        return np.maximum.accumulate(np.where(is_best, np.arange(len(self)), 0))

    @property
    def best(self) -> float:
        """The winner's validation score."""
        return float(self.means[self.winners[-1]])

    @property
    def honest(self) -> float:
        """The winner's score on the locked rows."""
        return float(self.test[self.winners[-1]])

    @cached_property
    def corrected(self) -> Corrected | None:
        """The winner's score without the luck of being picked, as the lab says it wherever a best is named."""
        return corrected_scores(self.valid, sign=-1.0, ideal=1.0)

    @cached_property
    def luck(self) -> LuckCurve:
        """The validation score to expect from the best of so many trials."""
        return luck_curve(np.sort(self.means)[::-1])

    @cached_property
    def looks(self) -> LuckCurve:
        """The score to expect on the locked rows when they are looked at for so many trials, and the best is told."""
        return luck_curve(np.sort(self.test)[::-1])


def coin_flips(n_rows: int, seed: int) -> pd.DataFrame:
    """Columns of normal numbers, and as many heads as tails in an order of chance."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n_rows, _COLUMNS)), columns=[f"x{i + 1}" for i in range(_COLUMNS)])
    return table.assign(**{_TARGET: rng.permutation(np.resize(["heads", "tails"], n_rows))})


def _scores(
    executor: Executor, spec: ProblemSpec, configurations: list[Configuration], n_folds: int
) -> list[list[float]]:
    futures = [
        [
            executor.submit(FitRequest(spec=spec, configuration=one, folds=(fold,), rank=_RANK))
            for fold in range(n_folds)
        ]
        for one in configurations
    ]
    return [[future.result()[0].score for future in row] for row in futures]
