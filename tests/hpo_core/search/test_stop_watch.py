"""Runs that end by themselves when more trials are not expected to gain enough, and runs from before there were any."""

from __future__ import annotations

import dataclasses
import json

import pytest
from sqlalchemy import select, update

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import check_run
from hpo_core.search.stop_watch import advice_on
from hpo_core.studies import tables
from hpo_core.studies.run import Budget, RunSettings
from tests.running import rows
from tests.trial_tables import build_table

NOISY = {"noise": 0.3, "protocol": Protocol(folds=5)}


@pytest.mark.parametrize("pool", ["one_worker", "two_workers"])
def test_run_ends_itself_with_the_evidence_as_its_message(request, bench, pool):
    bench.executor = request.getfixturevalue(pool)
    study = bench.search(make_problem("branin", **NOISY), trials=100, stops_when="noise")
    run = study.runs.current()
    assert run.state == "finished"
    assert 12 <= len(study.read()) < 100
    assert not run.live.in_flight
    assert run.message.startswith("Stopped by itself: 20 more trials are expected to gain")
    assert "less than the noise of the best score" in run.message


def test_same_seed_ends_at_the_same_trial(bench):
    settings = {"trials": 100, "seed": 3, "stops_when": "noise"}
    problem = make_problem("branin", **NOISY)
    first, second = (rows(bench.search(problem, "gaussian_process", **settings).read()) for _ in range(2))
    assert first == second
    assert len(first) < 100


def test_run_goes_on_for_a_gain_smaller_than_the_noise(bench):
    study = bench.search(make_problem("branin", **NOISY), trials=30, stops_when=1e-9)
    assert (len(study.read()), study.runs.current().message) == (30, "")


def test_interrupted_run_ends_where_an_undisturbed_one_does(bench):
    """The first part of its budget spent, then resumed: it looks after the same trials."""
    problem = make_problem("branin", **NOISY)
    whole = bench.search(problem, trials=100, seed=1, stops_when="noise")
    parted = bench.search(problem, trials=13, seed=1, stops_when="noise")
    bench.go_on(parted, problem, Budget("trials", 100))
    assert rows(parted.read()) == rows(whole.read())


def test_settings_that_cannot_stop_a_run_are_refused():
    problem, budget = make_problem("branin"), Budget("trials", 9)
    with pytest.raises(UsageError, match="noise, or the smallest gain"):
        check_run(problem, RunSettings(method="random", stops_when=-1.0), budget)
    check_run(problem, RunSettings(method="random", stops_when="noise"), budget)


def test_folds_share_rows_and_a_share_ends_at_one_but_a_landscape_has_neither():
    table = build_table(40)
    table = dataclasses.replace(table, values=table.values - table.values.max() + 0.99)
    settings = RunSettings(method="random", stops_when="noise")
    model = advice_on(make_problem("iris", "svm"), table, settings)
    landscape = advice_on(make_problem("branin", **NOISY), table, settings)
    assert model.noise == pytest.approx(landscape.noise * ((1 / 5 + 1 / 4) / (1 / 5)) ** 0.5)
    assert model.gain.high <= 1 - table.values.max() < landscape.gain.high


def test_run_from_before_options_of_pruning_is_read_and_resumed(bench):
    """A row as it was written then: pruning is a word, and no word is said of stopping."""
    problem = make_problem("branin", **NOISY)
    study, run = bench.begun(problem, "random", Budget("trials", 20))
    new = ("pruning_options", "stops_when")
    old = {k: v for k, v in dataclasses.asdict(run.settings).items() if k not in new} | {"pruning": "race"}
    with study.runs._database.writing() as connection:
        connection.execute(update(tables.runs), {"settings": json.dumps(old)})
        assert "stops_when" not in connection.execute(select(tables.runs.c.settings)).scalar_one()
    bench.runner(study, study.runs.current(), problem).run()
    assert study.runs.current().settings == RunSettings(method="random", pruning="race")
    assert bench.go_on(study, problem, Budget("trials", 25)).spent.trials == 25
    assert study.read().is_pruned.any()
