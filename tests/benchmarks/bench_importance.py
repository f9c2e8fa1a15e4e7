"""Time and agreement of the importance beside Optuna's evaluators, on functions whose answer is known.

    python tests/benchmarks/bench_importance.py [--trials 100 1000] [--seeds 1]

Agreement is Spearman's correlation with the true shares of the variance of single parameters; zero is the largest share
given to a parameter that does nothing. The ratio of times is that of one run on one machine.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from scipy.stats import spearmanr

from hpo_core.analysis.importance import importance
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

N_PARAMETERS = 8
# Each is a sum of functions of one parameter, so that shares are the variances of its terms.
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda u: np.column_stack([4 * u[:, 0], 2 * u[:, 1], u[:, 2]]),
    "valleys": lambda u: np.column_stack([3 * (u[:, 0] - 0.3) ** 2, 2 * np.abs(u[:, 1] - 0.6), 0.4 * u[:, 2]]),
    "steps": lambda u: np.column_stack([1.0 * (u[:, 0] > 0.7), np.exp(u[:, 1]) / 4, 0.2 * (u[:, 2] > 0.5)]),
}


def table_of(terms: Callable[[np.ndarray], np.ndarray], n: int, seed: int) -> tuple[TrialTable, np.ndarray]:
    """Random trials with a tenth of noise, and the true shares."""
    rng = np.random.default_rng(seed)
    units = rng.random((n, N_PARAMETERS))
    truth = np.zeros(N_PARAMETERS)
    variances = terms(np.random.default_rng(0).random((100_000, N_PARAMETERS))).var(axis=0)
    truth[: len(variances)] = variances / variances.sum()
    values = terms(units).sum(axis=1)
    values = values + 0.1 * values.std() * rng.standard_normal(n)
    names = [f"x{i}" for i in range(N_PARAMETERS)]
    distributions = dict.fromkeys(names, FloatDistribution(0, 1))
    params = dict(zip(names, units.T, strict=True))
    return build_table(n, distributions=distributions, direction="minimize", params=params, values=values), truth


def study_of(table: TrialTable) -> optuna.Study:
    study = optuna.create_study()
    for row, value in enumerate(table.values.tolist()):
        trial = optuna.create_trial(params=table.configuration(row), distributions=table.distributions, value=value)
        study.add_trial(trial)
    return study


def ours(table: TrialTable, _: optuna.Study) -> dict[str, float]:
    return {share.names[0]: share.median for share in importance(table).shares}


def fanova(_: TrialTable, study: optuna.Study) -> dict[str, float]:
    return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))


def ped_anova(_: TrialTable, study: optuna.Study) -> dict[str, float]:
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    importance(table_of(FUNCTIONS["linear"], 50, 0)[0])

    print(f"{'trials':>8s}  {'evaluator':12s}{'agreement':>10s}{'zero':>8s}{'CPU s':>9s}{'times ours':>12s}")
    for n in arguments.trials:
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for terms in FUNCTIONS.values():
            for seed in range(arguments.seeds):
                table, truth = table_of(terms, n, seed)
                study = study_of(table)
                for evaluate in (ours, fanova, ped_anova):
                    start = time.process_time()
                    found = evaluate(table, study)
                    seconds = time.process_time() - start
                    shares = np.array([found[name] for name in table.params])
                    # The five that do nothing are tied in truth, so only the others and the first of these are ranked.
                    ranked = np.append(shares[:3], shares[3:].max())
                    agreement = float(spearmanr(ranked, np.append(truth[:3], 0.0)).statistic)
                    rows.setdefault(evaluate.__name__, []).append((agreement, float(shares[3:].max()), seconds))
        means = {name: np.mean(row, axis=0) for name, row in rows.items()}
        for name, (agreement, zero, seconds) in means.items():
            ratio = seconds / means["ours"][2]
            print(f"{n:8d}  {name:12s}{agreement:10.2f}{zero:8.3f}{seconds:9.2f}{ratio:12.1f}")


if __name__ == "__main__":
    main()
