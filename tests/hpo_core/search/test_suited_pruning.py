"""The rule between folds that comes with a method: Auto races, and loses nothing by it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hpo_core.cli.main import main
from hpo_core.methods import METHODS
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.pruning import PRUNING
from hpo_core.search import search
from hpo_core.search.suitability import suited_pruning

WINE = make_problem("wine", "svm")


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.key)
def test_every_method_names_a_rule_that_there_is(method):
    assert method.pruning in PRUNING.keys


@pytest.mark.parametrize(
    ("problem", "key"),
    [
        (WINE, "race"),
        (make_problem("wine", "svm", protocol=Protocol(folds=2)), "none"),
        (make_problem("wine", "svm", second="fit_seconds"), "none"),
    ],
    ids=["five folds", "two folds", "two objectives"],
)
def test_auto_races_where_there_are_folds_to_judge_one_score_by(problem, key):
    assert suited_pruning(METHODS["auto"], problem) == key
    assert suited_pruning(METHODS["random"], problem) == "none"


def test_racing_saves_most_fits_and_finds_as_good_a_trial(tmp_path):
    plain, raced = (
        search(WINE, "auto", trials=40, pruning=pruning, folder=tmp_path).read() for pruning in ("none", None)
    )
    fits = [int(np.isfinite(table.fold_scores).sum()) for table in (plain, raced)]
    assert fits[0] == 200
    assert fits[1] < 120
    assert raced.values[raced.best()] >= plain.values[plain.best()] - 0.005
    assert np.isfinite(raced.fold_scores[raced.best()]).all()


def test_command_line_takes_the_rule_of_the_method_unless_another_is_named(tmp_path, capsys):
    common = ["search", "--data", "wine", "--model", "svm", "--trials", "20", "--data-folder", str(tmp_path), "--json"]
    pruned = []
    for more in ([], ["--pruning", "none"]):
        assert main([*common, *more]) == 0
        pruned.append(json.loads(capsys.readouterr().out)["n_pruned"])
    assert pruned[0] > 0 == pruned[1]
