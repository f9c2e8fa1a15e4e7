"""`class list`, `show` and `results`: what they print, and their faults in one sentence."""

from __future__ import annotations

import pytest

from hpo_core.problem import make_problem
from hpo_core.search.classroom import join, make_class, open_class
from hpo_core.search.duel import DuelArm
from hpo_core.search.simple import make_study
from hpo_core.studies.storage import StudyStorage
from tests.hpo_core.search.test_classroom import HILLS


@pytest.fixture
def code(sqlite_url):
    storage = StudyStorage.open(sqlite_url)
    room, _ = make_class(storage, HILLS, (DuelArm("random"), DuelArm("default")), 4, name="monday", finals=1)
    join(storage, room, "=Ada")
    make_study(storage, make_problem("branin"), "of nobody")
    return room.code


def test_classes_are_listed_and_shown(lab, code):
    assert [(one["name"], one["state"], one["people"]) for one in lab("class", "list", "--json").json] == [
        ("monday", "waiting", 1)
    ]
    assert code in lab("class", "list").out
    shown = lab("class", "show", code.lower(), "--json").json
    assert shown["people"] == [{"name": "=Ada", "tries": 0, "best": None}]
    assert "=Ada  0      –" in lab("class", "show", code).out


def test_results_come_once_all_is_scored_and_names_are_no_formulas(lab, code, sqlite_url):
    early = lab("class", "results", code)
    assert (early.code, early.out) == (2, "")
    assert "no results yet" in early.err
    storage = StudyStorage.open(sqlite_url)
    room = open_class(storage, code)
    room.end(storage)
    for member in room.duel.members:
        member.set_final({"scores": []})
    lines = lab("class", "results", code, "--csv").out.splitlines()
    assert lines[0] == "place,name,who,tries,best of own folds,fresh folds,locked rows"
    assert ",'=Ada,person,0.0,,," in lines
    assert "Nobody has a score." in lab("class", "results", code).out
    assert lab("class", "results", code, "--json").json["results"][0]["place"] is None


def test_wrong_code_is_one_sentence(lab):
    done = lab("class", "show", "ZZZZZ")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "no class with the code" in done.err
    assert lab("class", "list").code == 1
