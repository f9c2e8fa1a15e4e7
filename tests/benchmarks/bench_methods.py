"""What the search methods find, beside random search, known optima, fixed values and defaults, and what they cost.

    python tests/benchmarks/bench_methods.py [--part regret] [--part overhead] [--part known] [--part population]
        [--part automl] [--part racing] [--seeds 20] [--seconds 60] [--noise 0.0] [--methods gaussian_process tpe]
        [--processes 2]

Regret: every method that learns from results against random search, on the landscapes at 100 evaluations, in pairs of
seed and landscape; partial looks count as the share that they are. Methods that are slow get fewer seeds, which the
table says. Overhead: CPU of a suggestion. Known: the gap to the optimum after many trials. Population and automl: real
models on bundled data; what was chosen on some folds is scored on others. Racing: Auto with and without its race
between folds, on the same problems, seeds and number of trials.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import optuna
from scipy import stats

from hpo_core.datasets import DATASETS
from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import METHODS
from hpo_core.problem import Problem, make_problem
from hpo_core.search import search
from tests.benchmarks import suggestion_time
from tests.benchmarks.fresh_folds import automl_against_defaults, schedule_against_fixed
from tests.benchmarks.landscape_search import Found, chances, searched, why_not_searched

_CHECKPOINTS = (25, 50, 100)
_FEWEST_SEEDS = 3
_ALPHA = 0.05
_COUNTS = (100, 1000)
_MOST_MILLISECONDS = 50.0
_EXACT, _EXACT_SEEDS, _EXACT_TRIALS, _CLOSE = ("cma_es", "differential_evolution"), 5, 600, 1e-3
_RACED = (
    ("wine", "svm"),
    ("breast_cancer", "svm"),
    ("diabetes", "svm"),
    ("digits", "nearest_neighbours"),
    ("diabetes", "random_forest"),
    ("imbalanced", "hist_gradient_boosting"),
)
_RACES, _RACED_TRIALS = 3, 50
_NETWORK_DATA, _NETWORK_SEEDS = ("breast_cancer", "digits"), 6


def main() -> None:
    """Measures and prints the tables that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {
        "regret": _regret,
        "overhead": _overhead,
        "known": _known,
        "population": _population,
        "automl": _automl,
        "racing": _racing,
    }
    parser.add_argument("--part", action="append", choices=parts, help="only this part; may be given several times")
    parser.add_argument("--seeds", type=int, default=20, help="of the regret")
    parser.add_argument("--seconds", type=float, default=60.0, help="of CPU for one method, beyond three seeds of it")
    parser.add_argument("--noise", type=float, default=0.0, help="of the regret, in units of a landscape's scale")
    parser.add_argument("--methods", nargs="+", default=[], help="only these")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("error")
    for name in arguments.part or parts:
        print(f"\n{name}", flush=True)
        parts[name](arguments)


# Against random search


def _regret(arguments: argparse.Namespace) -> None:
    learners = [m for m in METHODS if m.capabilities.learns and (not arguments.methods or m.key in arguments.methods)]
    reasons = {m.key: why for m in learners if (why := why_not_searched(m))}
    print(f"{'method':24}" + "".join(f"{n:>9}" for n in _CHECKPOINTS) + f"{'CPU s':>8}{'seeds':>7}", flush=True)
    found = {}
    with ProcessPoolExecutor(arguments.processes) as pool:
        for key in ["random", *(m.key for m in learners if m.key not in reasons)]:
            found[key] = _searches(pool, key, arguments)
            medians = np.median([f.regrets for f in found[key]], axis=0)
            seconds, n_seeds = np.mean([f.seconds for f in found[key]]), len(found[key]) // len(LANDSCAPES)
            print(f"{key:24}" + "".join(f"{x:9.4f}" for x in medians) + f"{seconds:8.2f}{n_seeds:7}", flush=True)
    _print_verdicts({key: np.array([f.regrets[-1] for f in searches]) for key, searches in found.items()})
    for key, why in reasons.items():
        print(f"{key:24} left out: {why}")


def _searches(pool: ProcessPoolExecutor, key: str, arguments: argparse.Namespace) -> list[Found]:
    """Of all landscapes, seed by seed: as many seeds as the time for one method allows."""
    first = _round(pool, key, range(1), arguments.noise)
    affordable = int(arguments.seconds / max(sum(f.seconds for f in first), 1e-3))
    n_seeds = min(arguments.seeds, max(_FEWEST_SEEDS, affordable))
    return [*first, *_round(pool, key, range(1, n_seeds), arguments.noise)]


def _round(pool: ProcessPoolExecutor, key: str, numbers: Iterable[int], noise: float) -> list[Found]:
    pairs = [(place, number) for number in numbers for place in LANDSCAPES.keys]
    search = partial(searched, checkpoints=_CHECKPOINTS, noise=noise)
    return list(pool.map(search, [key] * len(pairs), *zip(*pairs, strict=True))) if pairs else []


def _print_verdicts(regrets: dict[str, np.ndarray]) -> None:
    random = regrets.pop("random")
    print(f"\n{'method':24}{'pairs':>7}{'better':>9}{'chance':>10}  beats random")
    for (key, own), chance in zip(regrets.items(), chances(list(regrets.values()), random), strict=True):
        better = np.mean(own < random[: len(own)])
        verdict = "yes" if chance < _ALPHA else "no"
        print(f"{key:24}{len(own):7}{better:9.0%}{chance:10.1e}  {verdict}", flush=True)


# What a suggestion costs


def _overhead(arguments: argparse.Namespace) -> None:
    print(f"{'method':44}" + "".join(f"{n:>10}" for n in _COUNTS))
    for case in suggestion_time.cases():
        if arguments.methods and case.label.partition(":")[0] not in arguments.methods:
            continue
        costs = suggestion_time.costs(case, _COUNTS)
        flag = "  above 50 ms" if costs and costs[0].milliseconds > _MOST_MILLISECONDS else ""
        texts = [f"{cost.milliseconds:8.1f}{'* ' if cost.n_of_others else '  '}" for cost in costs]
        print(f"{case.label:44}" + "".join(texts) + flag, flush=True)
    print("milliseconds of CPU; * after trials that were drawn at random")
    for key, why in suggestion_time.left_out().items():
        print(f"{key:24} left out: {why}")


# Known optima


def _known(arguments: argparse.Namespace) -> None:
    print(f"{'method':24}{'landscape':16}{'median gap':>12}{'largest':>10}{'within ' + str(_CLOSE):>15}")
    with ProcessPoolExecutor(arguments.processes) as pool:
        for key in _EXACT:
            search = partial(searched, key, checkpoints=(_EXACT_TRIALS,))
            numbers = range(_EXACT_SEEDS)
            for place in LANDSCAPES.keys:
                gaps = np.array([f.regrets[0] for f in pool.map(search, [place] * len(numbers), numbers)])
                close = f"{np.sum(gaps < _CLOSE)} of {len(gaps)}"
                print(f"{key:24}{place:16}{np.median(gaps):12.1e}{gaps.max():10.1e}{close:>15}", flush=True)


# Real models


def _population(arguments: argparse.Namespace) -> None:
    print(f"{'log loss of a network':24}{'schedule':>10}{'best fixed':>11}{'difference':>12}{'95 %':>9}  verdict")
    with ProcessPoolExecutor(arguments.processes) as pool:
        for data in _NETWORK_DATA:
            found = list(pool.map(schedule_against_fixed, [data] * _NETWORK_SEEDS, range(_NETWORK_SEEDS)))
            for where in ("chosen", "fresh"):
                pairs = np.array([getattr(losses, where) for losses in found])
                gaps = pairs[:, 0] - pairs[:, 1]
                half = float(stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
                means = "".join(f"{x:{width}.4f}" for x, width in zip(pairs.mean(axis=0), (10, 11), strict=True))
                verdict = "tie" if abs(gaps.mean()) <= half else "better" if gaps.mean() < 0 else "worse"
                print(f"{data + ', ' + where:24}{means}{gaps.mean():12.4f}{half:9.4f}  {verdict}", flush=True)


def _automl(arguments: argparse.Namespace) -> None:
    print(f"{'data':18}{'metric':10}{'chosen':22}{'best default':22}{'chosen by':>10}{'fresh':>9}{'95 %':>8}  verdict")
    with ProcessPoolExecutor(arguments.processes) as pool:
        for found in pool.map(automl_against_defaults, DATASETS.keys, [0] * len(DATASETS.keys)):
            gap = found.fresh
            models = f"{found.data:18}{found.metric:10}{found.family:22}{found.default:22}"
            print(f"{models}{found.chosen:10.4f}{gap.mean:9.4f}{gap.half_width:8.4f}  {gap.verdict}", flush=True)
            if found.left_out:
                print(f"{'':18}defaults not tried, because they take long: {', '.join(found.left_out)}")


def _racing(arguments: argparse.Namespace) -> None:
    warnings.simplefilter("default")  # workers are forked, and a fit may warn
    print(
        f"{'data':18}{'model':22}{'fits raced':>11}{'fits':>7}{'best raced':>12}{'best':>9}   means of {_RACES} seeds"
    )
    for data, model in _RACED:
        problem = make_problem(data, model)
        figures = [_fits_and_best(problem, pruning, seed) for pruning in ("race", "none") for seed in range(_RACES)]
        (fits, best), (all_fits, other) = np.reshape(figures, (2, _RACES, 2)).mean(axis=1)
        print(f"{data:18}{model:22}{fits:11.0f}{all_fits:7.0f}{best:12.4f}{other:9.4f}", flush=True)


def _fits_and_best(problem: Problem, pruning: str, seed: int) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        table = search(problem, "auto", trials=_RACED_TRIALS, seed=seed, pruning=pruning, folder=folder).read()
    best = table.best()
    assert best is not None
    return int(np.isfinite(table.fold_scores).sum()), float(table.values[best])


if __name__ == "__main__":
    main()
