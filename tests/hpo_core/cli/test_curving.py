"""`curve`: learning and validation curves, of a problem and of a study's trial."""

from __future__ import annotations

import pytest

from hpo_core import Protocol, StudyStorage, make_problem
from hpo_core.search import make_study
from tests.finished_trials import finished


def test_learning_curve_as_json(lab):
    found = lab("curve", "--data", "iris", "--model", "svm", "--folds", "2", "--points", "4", "--json").json
    assert found["kind"] == "learning"
    assert found["places"][-2:] == [30, 60]
    assert len(found["valid"]) == 4
    assert found["chosen"] == 60
    assert found["findings"]
    assert 0.5 < found["forecast"]["score"] <= 1


def test_validation_curve_as_a_table(lab):
    done = lab("curve", "--data", "iris", "--model", "svm", "--folds", "2", "--parameter", "C", "--points", "3")
    assert done.code == 0
    assert "6 fits" in done.err
    lines = done.out.splitlines()
    assert lines[0].split()[0] == "C"
    assert [line.split()[0] for line in lines[1:4]] == ["0.001", "1", "1000"]
    assert lines[2].endswith("*")


@pytest.fixture
def tried(lab):
    problem = make_problem("iris", "svm", protocol=Protocol(folds=2))
    study = make_study(StudyStorage.open(lab.storage), problem, "tried")
    for i, c in enumerate((0.5, 7.0)):
        study.record(finished(i, configuration={**problem.space.default(), "C": c}, value=0.5 + i / 10))
    return lab


def test_a_trial_of_a_study_is_the_chosen_configuration(tried):
    best = tried("curve", "--study", "tried", "--parameter", "kernel", "--json").json
    assert best["configuration"]["C"] == 7.0
    named = tried("curve", "--study", "tried", "--trial", "0", "--parameter", "kernel", "--json").json
    assert named["configuration"]["C"] == 0.5
    changed = tried("curve", "--study", "tried", "--set", "C=2", "--parameter", "kernel", "--json").json
    assert changed["configuration"]["C"] == 2.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "branin"), "no training rows"),
        (("--data", "iris", "--model", "svm", "--parameter", "degree"), "has no effect"),
        (("--data", "iris", "--model", "svm", "--set", "degree=3"), "degree has no effect"),
        (("--data", "iris", "--model", "svm", "--set", "C"), "NAME=VALUE"),
        (("--data", "iris", "--model", "svm", "--workers", "0"), "Workers must be"),
        ((), "needs --data"),
        (("--study", "tried", "--trial", "99"), "no trial 99"),
        (("--study", "tried", "--data", "iris"), "leave one out"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_wrong_use(tried, arguments, words):
    done = tried("curve", *arguments)
    assert done.code == 2
    assert words in done.err
