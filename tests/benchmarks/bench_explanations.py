"""How often the intervals of the charts "Which change gained what?" and the like hold the truth; they say 90 %.

Each study is of a random function on the unit cube: waves along single parameters, and products of two of these, of
falling size, with noise on each value. Half of the trials are random, half crowd around the best, as in a search.

    python tests/benchmarks/bench_explanations.py [--studies 100]
"""
# ruff: noqa: E402 - threads and path must be set before the imports

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from hpo_core.analysis.ablation import ablation
from hpo_core.analysis.dependence import WHOLE, dependence, reference_points
from hpo_core.analysis.isolation import profile
from hpo_core.analysis.local_importance import local_importance
from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import fit_surrogate
from tests.known_functions import of_units

_D = 4
_AT = (np.arange(10) + 0.5) / 10
_SURE = 1.645


class Waves:
    """A random function on the unit cube."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._speed, self._phase = rng.uniform(1, 5, size=_D), rng.uniform(0, 6, size=_D)
        self._alone, self._pairs = rng.normal(size=_D) / np.arange(1, _D + 1), rng.normal(size=(_D, _D)) / 3

    def __call__(self, units: np.ndarray) -> np.ndarray:
        waves = np.sin(units * self._speed + self._phase)
        return waves @ self._alone + np.einsum("ni,ij,nj->n", waves, np.triu(self._pairs, 1), waves)


def searched(function: Waves, n: int, noise: float, seed: int) -> np.ndarray:
    """Points of a search: the first half at random, the others near the best so far."""
    rng = np.random.default_rng(seed)
    units = rng.random((n, _D))
    values = function(units) + noise * rng.standard_normal(n)
    for i in range(n // 2, n):
        units[i] = np.clip(units[values[:i].argmin()] + 0.1 * rng.standard_normal(_D), 0, 1)
        values[i] = function(units[[i]])[0] + noise * rng.standard_normal()
    return np.column_stack([units, values])


def held(seed: int, n: int, noise: float) -> dict[str, list[bool]]:
    """Which intervals of one study hold the truth."""
    function = Waves(seed)
    trials = searched(function, n, noise, seed)
    table = of_units(trials[:, :_D], trials[:, _D])
    surrogate = fit_surrogate(table)
    places, name = Places(surrogate), "x0"
    average = dependence(surrogate, name, _AT)
    truth = function(places.along(reference_points(places, name, WHOLE), name, _AT).reshape(-1, _D)).reshape(10, -1)
    best = profile(surrogate, name, _AT)
    found = {
        "partial dependence": np.abs(average.mean - truth.mean(axis=1)) <= _SURE * average.sd,
        "isolation": np.abs(best.mean - function(best.points)) <= _SURE * best.sd,
    }
    local = local_importance(surrogate, list(table.params))
    base = trials[[local.row], :_D]
    inside = []
    for axis in local.axes:
        moved = np.repeat(base, len(axis.units), axis=0)
        moved[:, int(axis.name[1:])] = axis.units
        loss = function(moved) - function(base)
        inside += ((axis.loss_low <= loss) & (loss <= axis.loss_high)).tolist()
    found["loss by moving one"] = np.array(inside)
    path, at, gains = ablation(surrogate, 0, local.row), trials[[0], :_D].copy(), []
    for change in path.changes:
        after = at.copy()
        after[0, int(change.name[1:])] = base[0, int(change.name[1:])]
        gain = float((function(at) - function(after))[0])
        gains.append(change.low <= gain <= change.high)
        at = after
    found["gain of a change"] = np.array(gains)
    return {what: np.asarray(inside).tolist() for what, inside in found.items()}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--studies", type=int, default=100)
    studies = options.parse_args().studies
    for n in (20, 40, 80, 200):
        for noise in (0.02, 0.2):
            results = [held(seed, n, noise) for seed in range(studies)]
            shares = {what: np.mean([inside for r in results for inside in r[what]]) for what in results[0]}
            words = ", ".join(f"{what} {share:.0%}" for what, share in shares.items())
            print(f"{n} trials, noise {noise:g}: {words}", flush=True)


if __name__ == "__main__":
    main()
