"""`studies log`, `advice` and `notes`, and `glossary`: what was done and written, and what the words mean."""

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


def test_notes_are_written_listed_and_stand_in_the_log(tried):
    assert tried("studies", "notes", "tried").out == "Nobody has written a note on tried.\n"
    assert tried("studies", "note", "tried", "why so\nslow?", "--trial", "3").out == "Noted on trial 3 of tried.\n"
    (note,) = tried("studies", "notes", "tried", "--json").json
    assert (note["trial"], note["text"], note["by"]) == (3, "why so\nslow?", "command line")
    assert "why so slow?" in tried("studies", "notes", "tried").out
    assert [entry["what"] for entry in tried("studies", "log", "tried", "--json").json] == [
        "note on trial 3: why so\nslow?"
    ]
    assert tried("studies", "note", "tried", "x", "--trial", "99").code == 2


def test_glossary_says_what_a_word_means_in_any_case(lab):
    assert lab("glossary", "WITHIN NOISE", "--json").json["see"] == ["noise", "tie", "corrected t-test"]
    assert lab("glossary", "pbt").out.startswith("population-based training: ")
    assert lab("glossary", "nois").code == 2
