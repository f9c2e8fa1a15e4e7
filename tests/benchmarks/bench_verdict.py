"""How often a duel's verdict is wrong, and what it takes to be right, where the truth is known.

    python tests/benchmarks/bench_verdict.py [--duels 2000] [--seed 0]

Each duel draws a fresh linear data set with Gaussian noise. The arms are ridge regressions that see one half of the
columns each, so that they err differently and equally often; each is fitted on the training rows of every fold and
scored by minus the mean squared error on the others. Fold scores correlate as in real cross-validation because they
come from it. With a tilt the first arm's columns carry more of the signal. In the last rows both arms see the same
columns, the second with a larger penalty. All shares are of duels; a difference up to the rope, a share of the mean
squared error, is not worth having.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from scipy import stats

from hpo_core.analysis.judgement import judge

N_COLUMNS = 16
PENALTY = 1.0
ROPE = 0.05
PROTOCOLS = ((100, 5, 1), (100, 5, 5), (100, 10, 3), (40, 5, 5))
TILTS = (0.0, 0.05, 0.1, 0.2, 0.4)
OTHER_PENALTIES = (2.0, 5.0, 10.0, 20.0, 40.0)


@dataclass(frozen=True)
class Duels:
    """Many duels of the same arms: gaps above 0 where the first is better, shape (duels, folds), and the mean error."""

    gaps: np.ndarray
    error: float
    overlap: float


@dataclass(frozen=True)
class Case:
    """How the arms are scored and how they differ: in the columns that they see, or in their penalties alone."""

    n_rows: int
    n_folds: int
    n_repeats: int
    tilt: float = 0.0
    other_penalty: float | None = None


def play(case: Case, n_duels: int, seed: int) -> Duels:
    """Repeated cross-validation of both arms; with a tilt the first sees (1 + tilt) of the signal of a half."""
    rng = np.random.default_rng(seed)
    half = N_COLUMNS // 2
    x = rng.standard_normal((n_duels, case.n_rows, N_COLUMNS))
    weights = np.repeat(np.sqrt([(1 + case.tilt) / half, (1 - case.tilt) / half]), half)
    y = x @ weights + rng.standard_normal((n_duels, case.n_rows))
    own, other = x[..., :half], x[..., half:]
    arms = ((own, PENALTY), (own, case.other_penalty) if case.other_penalty else (other, PENALTY))
    duel = np.arange(n_duels)[:, None]
    errors: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for _ in range(case.n_repeats):
        shuffled = rng.random((n_duels, case.n_rows)).argsort(axis=1)
        for valid in np.array_split(shuffled, case.n_folds, axis=1):
            for (columns, penalty), found in zip(arms, errors, strict=True):
                found.append(error_of(columns, y, columns[duel, valid], y[duel, valid], penalty))
    first, second = (np.stack(found, axis=1) for found in errors)
    return Duels(second - first, float((first + second).mean() / 2), 1 / (case.n_folds - 1))


def error_of(x: np.ndarray, y: np.ndarray, x_valid: np.ndarray, y_valid: np.ndarray, penalty: float) -> np.ndarray:
    """Mean squared error on the validation rows of ridge regressions fitted on all other rows, shape (duels,)."""
    gram = x.mT @ x - x_valid.mT @ x_valid + penalty * np.eye(x.shape[-1])
    moment = x.mT @ y[..., None] - x_valid.mT @ y_valid[..., None]
    predicted = x_valid @ np.linalg.solve(gram, moment)
    return ((predicted[..., 0] - y_valid) ** 2).mean(axis=1)


def shares(duels: Duels, rope: float) -> dict[str, float]:
    """Shares of the duels that each test calls different, and of each verdict."""
    naive = stats.ttest_1samp(duels.gaps, 0.0, axis=1).pvalue
    found = [judge(gaps, duels.overlap, rope * duels.error) for gaps in duels.gaps]
    verdicts = [judgement.verdict for judgement in found]
    return {
        "naive t": float((naive < 0.05).mean()),
        "corrected t": float(np.mean([judgement.p_value < 0.05 for judgement in found])),
        **{name: verdicts.count(name) / len(found) for name in ("better", "worse", "equivalent", "cannot tell")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duels", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rope", type=float, default=ROPE)
    arguments = parser.parse_args()
    start = time.perf_counter()

    cases = [Case(*protocol, tilt=tilt) for protocol in PROTOCOLS for tilt in TILTS]
    cases += [Case(*PROTOCOLS[1], other_penalty=penalty) for penalty in OTHER_PENALTIES]
    print(f"{arguments.duels} duels a row; rope {arguments.rope:.0%} of the error; gap: the mean one, of the error")
    print(f"{'':41s}{'called different':^24s}{'verdict':^44s}")
    names = ("naive t", "corrected t", "better", "worse", "equivalent", "cannot tell")
    print(f"{'rows':>5s}{'folds':>8s}{'arms':>16s}{'gap':>9s}   " + "".join(f"{name:>12s}" for name in names))
    for case in cases:
        duels = play(case, arguments.duels, arguments.seed)
        row = shares(duels, arguments.rope)
        folds, gap = f"{case.n_folds} x {case.n_repeats}", duels.gaps.mean() / duels.error
        arms = f"penalty {case.other_penalty:g}" if case.other_penalty else f"tilt {case.tilt:.2f}"
        figures = "".join(f"{row[name]:12.1%}" for name in names)
        print(f"{case.n_rows:5d}{folds:>8s}{arms:>16s}{gap:9.1%}   {figures}", flush=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
