"""Regret and CPU time of the search methods on the landscapes.

    python tests/benchmarks/bench_gaussian_process.py [--seeds 5] [--noise 0.0] [--methods gaussian_process tpe random]

Regret is that of the configuration which looked best so far, by its true height, in units in which the median height of
the landscape is 1 and its minimum is 0. Noise is normal, in units of the landscape's scale.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import optuna

from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.methods import METHODS, SearchExhausted, SearchMethod, propose

CHECKPOINTS = (25, 50, 100)


def regrets(method: SearchMethod, landscape: Landscape, seed: int, noise: float) -> tuple[np.ndarray, float]:
    """Normalised regret at the checkpoints, and the CPU seconds that the method took for its proposals."""
    study = optuna.create_study(sampler=method.sampler(landscape.space, seed))
    errors = np.random.default_rng([seed, 1]).standard_normal(CHECKPOINTS[-1]) * noise * landscape.scale
    heights, seconds = [], 0.0
    for error in errors:
        start = time.process_time()
        try:
            trial, configuration = propose(study, landscape.space)
        except SearchExhausted:
            break
        seconds += time.process_time() - start
        heights.append(landscape.function(configuration))
        study.tell(trial, heights[-1] + error)
    looked = np.array(heights) + errors[: len(heights)]
    chosen = [heights[int(np.argmin(looked[:n]))] for n in CHECKPOINTS]
    return (np.array(chosen) - landscape.minimum) / (median_height(landscape) - landscape.minimum), seconds


def median_height(landscape: Landscape) -> float:
    points = np.random.default_rng(0).random((2000, len(landscape.space)))
    return float(np.median([landscape.function(landscape.space.from_unit(point)) for point in points]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--methods", nargs="+", default=["gaussian_process", "tpe", "random"])
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("error")

    print(f"{'landscape':16s}{'method':18s}" + "".join(f"{n:>9d}" for n in CHECKPOINTS) + f"{'CPU s':>9s}")
    totals: dict[str, list[np.ndarray]] = {key: [] for key in arguments.methods}
    for landscape in LANDSCAPES:
        for key in arguments.methods:
            runs = [regrets(METHODS[key], landscape, seed, arguments.noise) for seed in range(arguments.seeds)]
            row = np.append(np.mean([r for r, _ in runs], axis=0), np.mean([s for _, s in runs]))
            totals[key].append(row)
            print(f"{landscape.key:16s}{key:18s}" + "".join(f"{x:9.2g}" for x in row))
    for key, rows in totals.items():
        print(f"{'mean':16s}{key:18s}" + "".join(f"{x:9.2g}" for x in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
