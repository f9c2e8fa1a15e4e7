"""When a search is worth going on with: simulated on landscapes whose truth is known."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import optuna
import pytest

from hpo_core.analysis.stopping import FEWEST, noise_of_best, stop_advice, why_no_stop
from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, propose
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from tests.trial_tables import build_table, with_faults

SEEDS = range(5)
N_EARLY, N_KNOWN, N_MORE = 16, 40, 20


@cache
def simulated(landscape, method, noise, seed, n=N_KNOWN + N_MORE):
    """A search of so many trials: its table, and the true height of each."""
    problem = make_problem(landscape, noise=noise, protocol=Protocol(folds=5, seed=seed))
    study = optuna.create_study(sampler=METHODS[method].sampler(problem.space, seed), direction="minimize")
    tried, folds = [], []
    for _ in range(n):
        trial, configuration = propose(study, problem.space)
        folds.append([problem.fit(configuration, fold).score for fold in range(5)])
        study.tell(trial, float(np.mean(folds[-1])))
        tried.append(configuration)
    distributions = problem.space.distributions()
    params = {name: np.array([c[name] for c in tried]) for name in distributions}
    scores = np.array(folds)
    table = build_table(
        len(tried),
        distributions=distributions,
        direction="minimize",
        arms=(method,),
        params=params,
        values=scores.mean(axis=1),
        fold_scores=scores,
    )
    return table, np.array([problem.landscape.function(c) for c in tried])


@pytest.mark.parametrize("method", ["gaussian_process", "random"])
def test_it_stops_where_noise_hides_what_is_left(method):
    for seed in SEEDS:
        table, _ = simulated("branin", method, 0.2, seed, N_KNOWN)
        assert stop_advice(table, method).verdict == "stop", seed


def test_it_goes_on_early_in_a_search():
    for seed in SEEDS:
        table, _ = simulated("hartmann6", "gaussian_process", 0.05, seed, N_EARLY)
        assert stop_advice(table, "gaussian_process").verdict == "go on", seed


@pytest.mark.parametrize(
    ("landscape", "method", "noise"),
    [("branin", "gaussian_process", 0.1), ("hartmann6", "gaussian_process", 0.05), ("branin", "random", 0.1)],
)
def test_interval_holds_the_realised_gain_in_most_seeds(landscape, method, noise):
    n_held = 0
    for seed in SEEDS:
        table, heights = simulated(landscape, method, noise, seed)
        advice = stop_advice(table.take(np.arange(N_KNOWN)), method, n_more=N_MORE)
        before, after = (heights[np.argmin(table.values[:n])] for n in (N_KNOWN, N_KNOWN + N_MORE))
        n_held += advice.gain.low - advice.noise <= max(0.0, before - after) <= advice.gain.high
    assert n_held >= 4


def test_advice_is_the_same_whichever_direction_is_better():
    table, _ = simulated("branin", "random", 0.1, 0)
    mirrored = replace(table, direction="maximize", values=-table.values, fold_scores=-table.fold_scores)
    one, other = stop_advice(table, "random"), stop_advice(mirrored, "random")
    assert (one.gain, one.verdict, one.noise) == (other.gain, other.verdict, other.noise)


def test_chosen_gain_decides_instead_of_the_noise():
    table, _ = simulated("branin", "gaussian_process", 0.1, 0)
    expected = stop_advice(table, "gaussian_process").gain.expected
    assert stop_advice(table, "gaussian_process", stops_when=2 * expected).verdict == "stop"
    assert stop_advice(table, "gaussian_process", stops_when=0.5 * expected).verdict == "go on"


def test_evidence_names_gain_noise_and_what_going_on_would_cost():
    table = build_table(40, completed=1e9 + 6.0 * np.arange(40), started=1e9 + 6.0 * np.arange(40) - 5)
    advice = stop_advice(table, "tpe", overlap=0.25)
    assert advice.seconds == pytest.approx(120)
    for words in ("20 more trials", "90 % interval", "the noise of the best score", "2 min"):
        assert words in advice.evidence
    assert advice.evidence.count(".") == advice.evidence.replace(". ", "").count(".")  # one sentence


def test_more_trials_cost_more_and_gain_no_less():
    table = build_table(60, completed=1e9 + 6.0 * np.arange(60))
    few, many = (stop_advice(table, "random", n_more=n) for n in (5, 200))
    assert (few.seconds, many.seconds) == (pytest.approx(30), pytest.approx(1200))
    assert few.gain.expected <= many.gain.expected
    assert "5 more trials" in few.evidence
    with pytest.raises(UsageError, match="one more trial at least"):
        stop_advice(table, "random", n_more=0)


def test_noise_is_named_beside_a_chosen_gain_too():
    advice = stop_advice(build_table(40), "tpe", overlap=0.25, stops_when=0.5)
    assert "the gain that you look for, 0.5 (the noise of the best is 0.00" in advice.evidence


def test_too_few_trials_still_say_what_more_would_cost():
    few = stop_advice(build_table(8, completed=1e9 + 6.0 * np.arange(8)), "tpe")
    assert "20 more would take about 2 min" in few.evidence
    assert few.noise > 0


def test_pause_does_not_make_trials_look_slow():
    ends = 1e9 + 6.0 * np.arange(40)
    ends[30:] += 3600
    assert stop_advice(build_table(40, completed=ends), "tpe").seconds == pytest.approx(120)


def test_noise_is_the_corrected_standard_error_pooled_over_the_best():
    table = build_table(30, n_folds=5)
    best = np.argsort(-table.values)[:5]
    spread = np.sqrt((table.noise[best] ** 2).mean())
    assert noise_of_best(table, 0.25) == pytest.approx(spread * math.sqrt(1 / 5 + 1 / 4))


def test_it_says_what_it_cannot_tell():
    few = stop_advice(build_table(FEWEST - 1), "tpe")
    assert (few.verdict, few.gain) == ("cannot tell", None)
    assert "Too few" in few.evidence
    one_look = build_table(40, n_folds=1)
    advice = stop_advice(one_look, "tpe")
    assert advice.verdict == "cannot tell"
    assert "name a smallest gain" in advice.evidence
    assert stop_advice(one_look, "tpe", stops_when=0.5).verdict == "stop"


def test_it_survives_faults_constants_and_methods_that_are_not_known():
    assert stop_advice(with_faults(build_table(60)), "of another program").verdict in ("go on", "stop")
    constant = build_table(30, values=np.full(30, 0.5), fold_scores=np.full((30, 5), 0.5))
    assert stop_advice(constant, "tpe").gain.expected == 0
    infinite = build_table(40)
    values = infinite.values.copy()
    values[::5] = -np.inf
    assert math.isfinite(stop_advice(replace(infinite, values=values), "tpe").gain.expected)


@pytest.mark.parametrize("wanted", [None, "noise", 0.01, 3])
def test_what_a_run_can_stop_at(wanted):
    assert why_no_stop(wanted) is None


@pytest.mark.parametrize("wanted", ["soon", 0, -1, math.nan, math.inf, True])
def test_what_a_run_cannot_stop_at(wanted):
    assert "noise, or the smallest gain" in why_no_stop(wanted)
