"""`studies log` and `studies advice`: what was done to a study, and whether more trials are worth it."""

from __future__ import annotations

import pytest

from hpo_core import Protocol, StudyStorage, make_problem
from hpo_core.search import make_study
from tests.finished_trials import finished


@pytest.fixture
def tried(lab):
    problem = make_problem("iris", "svm", protocol=Protocol(folds=2))
    study = make_study(StudyStorage.open(lab.storage), problem, "tried")
    study.record(*(finished(i, configuration={**problem.space.default(), "C": 0.1 + i}) for i in range(30)))
    return lab


def test_a_study_to_which_nothing_was_done_says_so(tried):
    assert tried("studies", "log", "tried").out == "Nothing was done to tried but trials.\n"
    assert tried("studies", "log", "tried", "--json").json == []


def test_what_the_command_line_does_is_logged_as_its_own(tried):
    tried("studies", "narrow", "tried", "--lock", "kernel=rbf", "--name", "tight")
    (entry,) = tried("studies", "log", "tried", "--json").json
    assert (entry["what"], entry["by"]) == ("child study tight made: kernel locked at rbf", "command line")
    table = tried("studies", "log", "tight").out.splitlines()
    assert table[0].split() == ["when", "what", "by"]
    assert "made as a child of tried, 30 trials kept: kernel locked at rbf" in table[1]


def test_advice_is_about_so_many_more_trials(tried):
    found = tried("studies", "advice", "tried", "--more", "7", "--json").json
    assert (found["n_more"], found["n_trials"]) == (7, 30)
    assert found["verdict"] in ("go on", "stop", "cannot tell")
    said = tried("studies", "advice", "tried").out
    assert said.startswith(f"{tried('studies', 'advice', 'tried', '--json').json['verdict']}: ")


def test_advice_about_no_trial_is_wrong_use(tried):
    done = tried("studies", "advice", "tried", "--more", "0")
    assert done.code == 2
    assert "one more trial at least" in done.err
