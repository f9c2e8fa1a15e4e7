"""The next suggestion: what a run would ask for, without a trace in the database."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, SearchExhausted
from hpo_core.problem import make_problem
from hpo_core.search.preview import suggest
from hpo_core.space import Int
from hpo_core.studies.run import Budget, RunSettings
from tests.moody_landscape import moody
from tests.running import rows


def _usable(problem):
    return [m.key for m in METHODS if not m.why_unsuitable(problem)]


def test_every_method_suggests_what_its_run_then_tries(bench, mixed):
    for method in _usable(mixed):
        study = bench.search(mixed, method, trials=6, seed=4)
        suggestion = suggest(mixed, RunSettings(method=method, seed=4), study)
        assert mixed.space.check(suggestion.configuration) == suggestion.configuration
        bench.go_on(study, mixed, Budget("trials", 7))
        assert study.read().configuration(6) == suggestion.configuration, method
        assert suggestion.why.endswith(".")


def test_looking_writes_nothing(bench, mixed):
    study = bench.search(mixed, "tpe", trials=9)
    before = study.read()
    for _ in range(3):
        suggest(mixed, RunSettings(method="tpe"), study)
    after = study.read()
    assert (after.revision, rows(after)) == (before.revision, rows(before))
    assert study.runs.events() == before.events


def test_refused_suggestion_is_not_made_again(bench, mixed):
    for method in _usable(mixed):
        study = bench.search(mixed, method, trials=4)
        refused = []
        for _ in range(4):
            found = suggest(mixed, RunSettings(method=method), study, refused)
            assert found.configuration not in [other.configuration for other in refused], method
            refused.append(found)
        assert len(study.read()) == 4


def test_without_a_study_the_default_counts_as_under_way(mixed):
    """A run begins with it; the first configuration of the method itself is what is wanted."""
    for method in _usable(mixed):
        suggestion = suggest(mixed, RunSettings(method=method))
        assert suggestion.configuration != mixed.space.default(), method
        assert math.isnan(suggestion.mean)
        assert "Nothing has been tried" in suggestion.trust or suggestion.basis == "method"


def test_value_is_predicted_once_there_are_trials_enough(bench):
    problem = make_problem("branin")
    study = bench.search(problem, "random", trials=40)
    suggestion = suggest(problem, RunSettings(method="random"), study)
    truth = problem.landscape.function(suggestion.configuration)
    assert suggestion.basis == "study"
    assert abs(suggestion.mean - truth) < 4 * max(suggestion.sd, 5.0)
    assert "R²" in suggestion.trust
    assert suggestion.n_known == 40
    few = bench.search(problem, "random", trials=3)
    assert "needs at least" in suggest(problem, RunSettings(method="random"), few).trust


def test_conditional_parameters_that_no_trial_has_used_do_not_hinder_a_prediction(bench, mixed):
    study = bench.search(mixed, "sobol", trials=12)
    suggestion = suggest(mixed, RunSettings(method="sobol"), study)
    assert np.isfinite([suggestion.mean, suggestion.sd]).all()


def test_own_prediction_of_a_method_comes_first(bench, mixed, monkeypatch):
    from hpo_core.methods import record_thought

    sampler = type(METHODS["random"].sampler(mixed.space, 0))
    proposal = sampler.proposal

    def thinking(self, study, trial):
        record_thought(study, trial, mean=0.25, sd=0.1, why="It looked best.")
        return proposal(self, study, trial)

    monkeypatch.setattr(sampler, "proposal", thinking)
    study = bench.search(mixed, "random", trials=12)
    suggestion = suggest(mixed, RunSettings(method="random"), study)
    assert (suggestion.mean, suggestion.sd, suggestion.basis) == (0.25, 0.1, "method")
    assert suggestion.why == "It looked best."


def test_exhausted_method_says_so(bench):
    problem = moody(Int(name="x", low=0, high=1, default=0))
    study = bench.search(problem, "grid", trials=5)
    with pytest.raises(SearchExhausted):
        suggest(problem, RunSettings(method="grid"), study)


def test_settings_that_cannot_be_are_refused(mixed):
    with pytest.raises(UsageError, match="no method"):
        suggest(mixed, RunSettings(method="nothing"))
    with pytest.raises(UsageError, match="no option"):
        suggest(mixed, RunSettings(method="tpe", options={"size": 3}))
