"""`studies narrow`, and searches on the child that it makes."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core import Protocol, StudyStorage, make_problem
from hpo_core.search import make_study
from tests.finished_trials import finished


@pytest.fixture
def wide(lab):
    """The command line, with a study of 12 trials that were never fitted."""
    problem = make_problem("iris", "svm", protocol=Protocol(folds=2))
    units = np.random.default_rng(0).random((12, len(problem.space)))
    study = make_study(StudyStorage.open(lab.storage), problem, "wide")
    study.record(*(finished(i, configuration=problem.space.from_unit(row)) for i, row in enumerate(units)))
    return lab


def test_child_is_made_and_says_how_many_trials_came_along(wide):
    done = wide(
        "studies", "narrow", "wide", "--range", "C=0.01..", "--range", "kernel=rbf,linear", "--lock",
        "class_weight=None", "--name", "tight", "--json",
    )  # fmt: skip
    child = StudyStorage.open(wide.storage).study("tight")
    space = child.space()
    assert done.code == 0
    assert done.json == {"study": "tight", "parent": "wide", "n_trials": len(child.read()), "n_parent_trials": 12}
    assert 0 < done.json["n_trials"] < 12
    assert (space["C"].low, space["C"].high) == (0.01, 1000.0)
    assert space["kernel"].choices == ("rbf", "linear")
    assert space["class_weight"].choices == (None,)


def test_without_a_name_it_gets_a_free_one_and_the_list_shows_its_parent(wide):
    said = wide("studies", "narrow", "wide", "--range", "C=..1e4")
    assert said.out == "wide.1: begins with 12 of the 12 trials of wide.\n"
    listed = {row["study"]: row["parent"] for row in wide("studies", "list", "--json").json}
    assert listed == {"wide": "", "wide.1": "wide"}
    assert wide("studies", "list").out.splitlines()[0].split()[-2:] == ["parent", "changed"]


def test_list_without_families_has_no_column_for_them(wide):
    assert "parent" not in wide("studies", "list").out


def test_search_goes_on_in_a_child_by_its_name_alone(wide):
    wide("studies", "narrow", "wide", "--lock", "C=2", "--name", "locked")
    done = wide("search", "--study", "locked", "--method", "random", "--trials", "3", "--json")
    assert done.json["n_trials"] == 3
    table = StudyStorage.open(wide.storage).study("locked").read()
    assert set(table.params["C"]) == {2.0}
    assert wide("studies", "resume", "locked", "--trials", "5", "--json").json["n_trials"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--range", "C=-1..2"], ["C has a log scale, so its low end must be above 0; got -1."]),
        (["--range", "C=5"], ["A range of C is given as C=LOW..HIGH; got '5'."]),
        (["--range", "C"], ["A range of C is given as C=LOW..HIGH; got ''."]),
        (["--range", "C=a..2"], ["C is a number; got 'a'."]),
        (["--range", "C=1..2..3"], ["C is a number; got '2..3'."]),
        (["--range", "C=NaN..2"], ["The new range of C needs two finite numbers; got nan to 2."]),
        (["--lock", "gamma=true"], ["gamma is a number; got 'true'."]),
        (["--range", "kernel=rbf,cosine"], ["kernel has no choice 'cosine'; there are rbf, linear, poly, sigmoid."]),
        (["--range", "C=1..2", "--lock", "C=1"], ["The range of C is given twice."]),
        (["--range", "c=1..2"], ["There is no parameter 'c'; there are C, kernel"]),
        (["--range", "=1..2"], ["There is no parameter ''"]),
        (["--range", "C=0..1", "--lock", "kernel=x", "--range", "gamma=3..2"],
         ["C has a log scale", "kernel has no choice 'x'", "The new range of gamma is empty"]),
        (["--name", "wide"], ["There is a study 'wide' already."]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_sentences_and_nothing_is_made(wide, arguments, words):
    done = wide("studies", "narrow", "wide", *arguments)
    assert (done.code, done.out) == (2, "")
    assert all(w in done.err for w in words), done.err
    assert [s.name for s in StudyStorage.open(wide.storage).summaries()] == ["wide"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "A search needs --data, or --study"),
        (["--study", "nothing"], "There is no study 'nothing'"),
        (["--study", "wide", "--model", "svm", "--noise", "1"], "leave out --model, --noise, or give --data"),
    ],
)
def test_search_without_data_needs_a_study_and_takes_no_problem(wide, arguments, words):
    done = wide("search", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
