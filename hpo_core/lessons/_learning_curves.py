"""Learning curves of real trainings, recorded, so that the end of each is known before it is trained again.

The lab's network was trained at each learning rate and width of a grid; between them the losses are interpolated. So
are tabular benchmarks made: Zimmer, Lindauer and Hutter (2021), Auto-PyTorch Tabular; Pfisterer et al. (2022), YAHPO
Gym. This makes them again, in some minutes:

    python -m hpo_core.lessons._learning_curves
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from hpo_core.problem import Problem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule
from hpo_core.space import Configuration, Float, SearchSpace

Floats = NDArray[np.float64]
AGREE, CROSS = "agree", "cross"
FOLDS, LONGEST = 2, 81
CHECKS = (1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 45, 54, 63, 72, 81)  # epochs after which a loss was taken
_N_RATES, _N_WIDTHS = 13, 6
_WIDTHS = (16.0, 256.0)
_FILE = Path(__file__).parent / "recorded" / "learning_curves.npz"


@dataclass(frozen=True, slots=True)
class Training:
    """What was trained.

    Attributes:
        data: Key of the data set.
        solver, batch: How.
        rates: The lowest and the highest learning rate.
    """

    data: str
    solver: str
    batch: int
    rates: tuple[float, float]

    @property
    def problem(self) -> Problem:
        protocol = Protocol(folds=FOLDS)
        return make_problem(self.data, "neural_network", metric="log_loss", protocol=protocol)

    @property
    def grid(self) -> tuple[Floats, NDArray[np.int64]]:
        """Learning rates and widths, ascending."""
        return np.geomspace(*self.rates, _N_RATES), np.geomspace(*_WIDTHS, _N_WIDTHS).round().astype(np.int64)

    def configuration(self, rate: float, width: int) -> Configuration:
        """Of the lab's network."""
        chosen = {"solver": self.solver, "batch_size": self.batch, "max_iter": LONGEST, "early_stopping": False}
        rest = {"learning_rate_init": float(rate), "units_1": int(width)}
        return self.problem.space.completed({**chosen, **rest})

    def curve(self, rate: float, width: int) -> tuple[Floats, float]:
        """The mean loss over the folds after each of the `CHECKS`, and the seconds of an epoch."""
        problem, configuration = self.problem, self.configuration(rate, width)
        fits = [
            [problem.fit(configuration, fold, Schedule(epochs / LONGEST)) for epochs in CHECKS] for fold in range(FOLDS)
        ]
        seconds = sum(fit.fit_seconds for fold in fits for fit in fold) / FOLDS / LONGEST
        return np.mean([[fit.score for fit in fold] for fold in fits], axis=0), seconds


TRAININGS = {
    AGREE: Training("digits", "adam", 64, (1e-4, 2e-3)),
    CROSS: Training("imbalanced", "adam", 32, (1e-4, 0.03)),
}


@dataclass(frozen=True, slots=True)
class Curves:
    """The validation loss of a network by epochs.

    Attributes:
        kind: AGREE, where who leads early leads late; or CROSS, where quick ones learn the noise of the rows by heart,
            and a small learning rate is slow and ends low.
    """

    kind: str

    @property
    def space(self) -> SearchSpace:
        low, high = TRAININGS[self.kind].rates
        rate = Float(name="learning_rate", low=low, high=high, default=float(np.sqrt(low * high)), log=True)
        return SearchSpace((rate, Float(name="width", low=_WIDTHS[0], high=_WIDTHS[1], default=64.0, log=True)))

    def loss(self, configuration: Mapping[str, Any], epochs: Any) -> Floats:
        """After so many epochs, a number or an array of them, from 1 to 81."""
        at = np.asarray(epochs, dtype=np.float64)
        rate, width = np.log(configuration["learning_rate"]), np.log(configuration["width"])
        points = np.column_stack([np.full(at.size, rate), np.full(at.size, width), np.log(at.ravel())])
        return np.asarray(_recorded(self.kind)[0](points)).reshape(at.shape)

    def seconds(self, configuration: Mapping[str, Any]) -> float:
        """Of an epoch, as it took where it was recorded."""
        widths, seconds = _recorded(self.kind)[1]
        return float(np.interp(np.log(configuration["width"]), widths, seconds))


def record() -> dict[str, NDArray[np.floating[Any]]]:
    """Trains all of them: losses by rate, width and check, and seconds of an epoch by width, for each kind."""
    found: dict[str, NDArray[np.floating[Any]]] = {}
    for kind, training in TRAININGS.items():
        rates, widths = training.grid
        curves = [[training.curve(rate, width) for width in widths.tolist()] for rate in rates.tolist()]
        found[f"{kind} losses"] = np.array([[loss for loss, _ in row] for row in curves], dtype=np.float32)
        found[f"{kind} seconds"] = np.median([[seconds for _, seconds in row] for row in curves], axis=0)
    return found


@lru_cache(maxsize=2)
def _recorded(kind: str) -> tuple[RegularGridInterpolator, tuple[Floats, Floats]]:
    """The losses over the logarithms of rate, width and epochs, and the seconds of an epoch over that of the width."""
    rates, widths = TRAININGS[kind].grid
    with np.load(_FILE, allow_pickle=False) as file:
        losses, seconds = file[f"{kind} losses"], file[f"{kind} seconds"]
    axes = (np.log(rates), np.log(widths), np.log(CHECKS))
    places = RegularGridInterpolator(axes, losses.astype(np.float64), bounds_error=False, fill_value=None)
    return places, (np.log(widths), np.maximum.accumulate(seconds))


if __name__ == "__main__":
    np.savez_compressed(_FILE, **record())  # type: ignore[arg-type]
    sys.stdout.write(f"{_FILE} is recorded.\n")
