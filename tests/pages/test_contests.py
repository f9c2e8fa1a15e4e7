"""Duels and suites in the list of studies: one line each, unfolded on demand, changed as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.search.duel import DuelArm, make_duel, open_duel
from hpo_core.search.suite import make_suite
from hpo_core.studies.run import Budget
from hpo_core.studies.summary import DuelMark
from pages._shared.contests import contests_of
from pages._shared.study_order import ORDERS, listed
from tests.finished_trials import finished
from tests.pages.test_study_order import study

PAGE = Path(__file__).parents[2] / "pages" / "studies.py"
ARMS = (DuelArm("tpe", 2), DuelArm("manual"), DuelArm("default"))
BUDGET = Budget("trials", 5)


def member(name, arm="tpe", *, suite="", title="Wine", is_blind=False, **figures):
    mark = DuelMark("k", "duel 1", suite, suite and "s", arm, is_blind)
    return replace(study(name, title=title, **figures), duel=mark)


def names(entries):
    return [(entry.study.name, entry.depth, entry.contest is not None) for entry in entries]


def test_studies_of_a_duel_are_one_line_that_sums_them_up():
    members = [member("a", best=0.9, n_trials=3, changed=2), member("b", "default", best=0.8, n_trials=1, changed=9)]
    found = listed([study("other", changed=5), *members])
    assert names(found) == [("duel 1", 0, True), ("other", 0, False)]
    line = found[0].study
    assert (line.best_value, line.n_trials, line.changed, line.title) == (0.9, 4, 9, "Wine")
    assert found[0].contest.in_words == "duel, 2 searches"
    assert found[0].contest.address == "/duel?name=duel%201"


def test_unfolded_its_studies_stand_below_in_the_order_of_their_making():
    members = [member("b", changed=3), member("a", changed=1)]
    found = listed([*members, study("other", changed=2)], unfolded={"k"})
    assert names(found) == [("duel 1", 0, True), ("a", 1, False), ("b", 1, False), ("other", 0, False)]
    assert [entry.rails for entry in found] == [(), (1,), (), ()]


@pytest.mark.parametrize("order", list(ORDERS))
def test_every_order_has_each_duel_once(order):
    members = [member("a", best=0.9), member("b", best=0.7)]
    found = listed([study("duel 1", title="Wine", best=0.8), *members], order=order)
    assert sorted(names(found)) == [("duel 1", 0, False), ("duel 1", 0, True)]


def test_class_is_one_line_that_hides_everybody_until_its_end():
    def of_class(is_blind):
        mark = DuelMark("k", "class 1", "", "", "manual", is_blind, "K7QX2")
        people = [replace(study(name, title="Wine", best=0.9), duel=mark) for name in ("a", "b")]
        return listed([*people, member("c", is_blind=is_blind, title="Wine")], unfolded={"k"})

    first, *below = of_class(is_blind=True)
    assert (first.contest.in_words, first.contest.address) == ("class, 2 people", "/class?code=K7QX2")
    assert (first.study.best_value, below) == (None, [])
    first, *below = of_class(is_blind=False)
    assert first.study.best_value == 0.9
    assert len(below) == 3


def test_words_find_a_duel_by_its_studies_too():
    members = [member("mine: tpe"), member("mine: default")]
    assert names(listed(members, "mine: tpe")) == [("duel 1", 0, True)]
    assert listed(members, "nothing like it") == []


def test_blind_duel_keeps_its_best_to_itself():
    hidden = contests_of([member("a", best=0.9, is_blind=True), member("b", "manual", best=0.8)])[1][0]
    assert hidden.summary.best_value is None
    assert contests_of([member("a", best=0.9), member("b", "manual", best=0.95)])[1][0].summary.best_value == 0.95


def test_suite_is_one_line_without_a_best_over_its_problems():
    members = [member("a", suite="suite 1", best=0.9), member("b", suite="suite 1", title="Iris", best=0.7)]
    (contest,) = contests_of(members)[1]
    assert (contest.name, contest.is_suite, contest.summary.best_value) == ("suite 1", True, None)
    assert contest.address == "/duel?suite=suite%201"


@pytest.fixture
def duel(lab):
    made = make_duel(lab.storage, make_problem("branin"), ARMS, BUDGET, is_blind=True)
    spot = {"configuration": {"x": 0.5, "y": 0.5}, "fold_scores": (3.25,)}
    made.searches[0].study.record(finished(0, arm="tpe", value=3.25, **spot))
    return made


def opened():
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    assert not page.exception
    return page


def texts(page):
    return "".join(element.proto.body for element in page.get("html"))


def keys(page):
    return {button.key for button in page.button if button.key}


def test_list_shows_a_duel_as_one_line_and_hides_what_is_blind(lab, duel):
    make_study(lab.storage, make_problem("branin"), "alone")
    page = opened()
    assert {"open-alone", f"open-contest-{duel.plan.key}"} <= keys(page)
    assert not any(key.startswith("open-duel 1") for key in keys(page))
    assert "duel, 4 searches" in texts(page)
    page.session_state["studies-unfolded"] = {duel.plan.key}
    page.run()
    assert "open-duel 1: default" in keys(page)
    assert ">Default<" in texts(page)
    assert "hidden" in texts(page)
    assert "3.250" not in texts(page)
    duel.ask(is_hand_done=True)
    assert "3.250" in texts(page.run())


def test_deleted_duel_is_brought_back_as_a_whole(lab, duel):
    suite = make_suite(lab.storage, [make_problem("branin"), make_problem("ackley")], [ARMS[0], ARMS[2]], BUDGET)
    lab.storage.discard(*(m.study.name for m in duel.members))
    lab.storage.discard(*(m.study.name for d in suite.duels for m in d.members))
    page = opened()
    assert {key for key in keys(page) if key.startswith("back-")} == {
        f"back-contest-{duel.plan.key}",
        f"back-contest-{suite.key}",
    }
    page.button(key=f"back-contest-{duel.plan.key}").click().run()
    assert "duel 1 is back" in texts(page)
    assert len(open_duel(lab.storage, duel.plan.key).members) == 4
