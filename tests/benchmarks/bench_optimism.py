"""How near the lab's estimate of what the best trial is worth on new rows comes to the truth.

    python tests/benchmarks/bench_optimism.py [--studies 100] [--seed 5] [--workers 2]

So many studies whose trials are scored on all folds, and so many whose trials race against the best as Auto's do. For
races the table also has the correction that knows of trials with all folds alone.

Each study is a real search: a generated problem of classification or regression (some of pure noise), a model family, a
method, a number of rows, folds and trials, all drawn by the seed. 4,000 further rows that no part of it sees tell what
the best trial is worth: the mean score on them of the models that its folds have trained, and the score of the model
trained on all rows of the study. Scores are accuracy, area under the curve, R squared and the mean absolute error of a
target of variance 1, so that one error means about the same everywhere. "Too good" is on the flattering side.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.optimism_studies import Comparison, Known, Mean, Setting, compare, known, settings

_TRUTHS = {"models of the folds": lambda one: one.truth, "model of all rows": lambda one: one.refitted}


def study(folder: Path, setting: Setting) -> tuple[Setting, Known]:
    logging.getLogger("optuna").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return setting, known(setting, folder)


def line(name: str, n: int, found: Comparison) -> str:
    cells = (found.raw.bias, found.corrected.bias, found.raw.error, found.corrected.error, found.gain)
    figures = "".join(f"{written(mean):>20s}" for mean in cells)
    return f"{name:40s}{n:5d}{figures}{found.p_value:9.2g}{found.coverage:10.0%}"


def written(mean: Mean) -> str:
    return f"{mean.mean:+.4f} ± {mean.half_width:.4f}"


def report(studies: Sequence[tuple[Setting, Known]]) -> None:
    parts = {
        "all": lambda s: True,
        "pure noise": lambda s: s.noise == 1.0,
        "at most 80 rows": lambda s: s.n_rows <= 80,
        "40 trials and more": lambda s: s.n_trials >= 40,
    }
    for truth, truth_of in _TRUTHS.items():
        for part, belongs in parts.items():
            chosen = [one for setting, one in studies if belongs(setting)]
            if len(chosen) > 2:
                print(line(f"{truth}, {part}", len(chosen), compare(chosen, truth_of)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    start, done = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        drawn = [s for raced in (False, True) for s in settings(arguments.studies, arguments.seed, is_raced=raced)]
        for found in pool.imap_unordered(partial(study, Path(folder)), drawn):
            done.append(found)
            print(f"\r{len(done)} of {len(drawn)} studies", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    done.sort(key=lambda pair: (pair[0].is_raced, pair[0].seed))
    heads = ("raw too good by", "corrected too good", "raw error", "corrected error", "error less by")
    print(f"{'truth, studies':40s}{'n':>5s}{''.join(f'{head:>20s}' for head in heads)}{'p':>9s}{'in interval':>12s}")
    plain = [(setting, found) for setting, found in done if not setting.is_raced]
    raced = [(setting, found) for setting, found in done if setting.is_raced]
    whole = [(setting, found.of_whole_trials) for setting, found in raced]
    for name, group in (("all folds", plain), ("races", raced), ("races, whole trials alone", whole)):
        print(f"-- {name}")
        report(group)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
