"""Duels: what makes one, that it is fought to its end through kills and stops, and what counts."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import time

import pytest

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import dueling, make_study
from hpo_core.search.duel import DuelArm, duels, make_duel, open_duel, seat_of
from hpo_core.search.dueling import (
    ask_all,
    fight,
    has_finals,
    is_ready_for_finals,
    is_searched,
    start_lanes,
    why_no_finals,
)
from hpo_core.search.hand import counted, hand_use
from hpo_core.search.judging import sides_of, verdict_on
from hpo_core.studies.run import Budget
from tests.finished_trials import finished

BRANIN = make_problem("branin", noise=0.2, protocol=Protocol(folds=3))
ARMS = (DuelArm("gaussian_process", 2), DuelArm("random", 2), DuelArm("random", 1, 2), DuelArm("default"))
TWELVE = Budget("trials", 12)
PATIENCE = 120


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_arms_share_problem_and_budget_in_studies_of_their_own(studies):
    duel = make_duel(studies, BRANIN, ARMS, TWELVE)
    assert [(m.arm, m.seed) for m in duel.members] == [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1)]
    again = open_duel(studies, "duel 1")
    assert again.plan == duel.plan == duels(studies)[duel.plan.key]
    assert {m.study.attributes["problem"]["data"] for m in again.members} == {"branin"}
    budgets = {(m.arm, m.seed): again.settings(m)[1].amount for m in again.members}
    assert budgets == {(0, 0): 12, (0, 1): 12, (1, 0): 12, (1, 1): 12, (2, 0): 24, (3, 0): 1}


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ([DuelArm("tpe")], "at least two arms; got 1"),
        ([DuelArm("tpe"), DuelArm("tpe", 3)], "there twice"),
        ([DuelArm("tpe"), DuelArm("default", 2)], "a person and the default one; got 2"),
        ([DuelArm("tpe", 21), DuelArm("random")], "1 to 20 seeds"),
        ([DuelArm("tpe", 20), DuelArm("random", 20), DuelArm("sobol", 20), DuelArm("default")], "at most 60 searches"),
        ([DuelArm("automl_portfolio"), DuelArm("random")], "model AutoML"),
        ([DuelArm("no_such"), DuelArm("random")], "no_such"),
    ],
)
def test_what_is_no_duel_is_refused_in_a_sentence(studies, arms, words):
    with pytest.raises(UsageError, match=words):
        make_duel(studies, BRANIN, arms, TWELVE)
    assert not studies.summaries()


def test_name_is_taken_once_and_unknown_ones_are_named(studies):
    make_duel(studies, BRANIN, ARMS[:2], TWELVE, name="mine")
    with pytest.raises(UsageError, match="already"):
        make_duel(studies, BRANIN, ARMS[:2], TWELVE, name="mine")
    with pytest.raises(UsageError, match="no duel 'other'"):
        open_duel(studies, "other")


def test_a_lane_fights_to_the_verdict_on_fresh_folds(studies, tmp_path):
    duel = make_duel(studies, BRANIN, ARMS, TWELVE, finals=2)
    fight(studies, tmp_path, duel.plan.key)
    done = open_duel(studies, duel.plan.key)
    assert [len(m.study.read()) for m in done.members] == [12, 12, 24, 1, 12, 12]
    assert has_finals(done)
    assert {len(m.final()["scores"]) for m in done.members} == {6}
    sides = sides_of(done)
    verdict = verdict_on(done, sides)
    assert verdict.is_final
    assert sorted(verdict.order) == [0, 1, 2, 3]
    assert "on fresh folds" in verdict.sentences[0]


@pytest.mark.parametrize(
    ("problem", "finals", "words"),
    [
        (BRANIN, 0, "without a final round"),
        (make_problem("branin"), 3, "looks the same each time"),
        (make_problem("diabetes", "ridge", protocol=Protocol(kind="time")), 3, "time order"),
    ],
    ids=["none wanted", "exact landscape", "time"],
)
def test_why_there_are_no_fresh_folds(studies, problem, finals, words):
    assert words in why_no_finals(make_duel(studies, problem, ARMS[1:3], TWELVE, finals=finals))


def test_killed_lane_is_gone_on_with_and_nothing_is_done_twice(studies, tmp_path):
    forests = make_problem("wine", "random_forest", protocol=Protocol(folds=2))  # slow enough to kill
    duel = make_duel(studies, forests, ARMS[1:], Budget("trials", 8), finals=1)
    start_lanes(studies, [duel], tmp_path, 1)
    first = duel.searches[0].study
    until(lambda: (run := first.runs.current()) is not None and run.spent.trials >= 2)
    os.kill(first.runs.current().owner.pid, signal.SIGKILL)
    until(lambda: not first.runs.current().is_active)
    start_lanes(studies, [duel], tmp_path, 2)
    until(lambda: has_finals(open_duel(studies, duel.plan.key)))
    tables = [m.study.read() for m in open_duel(studies, duel.plan.key).members]
    assert [int(t.is_complete.sum()) for t in tables] == [8, 16, 1, 8]


def test_pause_holds_all_and_stop_begins_no_other(studies, tmp_path):
    duel = make_duel(studies, make_problem("wine", "random_forest"), ARMS[1:], Budget("trials", 40))
    start_lanes(studies, [duel], tmp_path, 1)
    first = duel.searches[0].study
    until(lambda: (run := first.runs.current()) is not None and run.state == "running")
    ask_all([duel], "paused")
    until(lambda: first.runs.current().state == "paused")
    ask_all([duel], "stopped")
    until(lambda: not first.runs.current().is_active)
    assert not any(is_searched(m) for m in duel.searches)
    assert all(m.study.runs.current() is None for m in duel.searches[1:])


def test_search_that_is_taken_while_the_duel_is_being_stopped_stops_too(studies, tmp_path, monkeypatch):
    duel = make_duel(studies, BRANIN, ARMS[1:], TWELVE)
    start_run = dueling.start_run

    def stopped_meanwhile(*settings):
        ask_all([duel], "stopped")
        return start_run(*settings)

    monkeypatch.setattr(dueling, "start_run", stopped_meanwhile)
    fight(studies, tmp_path, duel.plan.key)
    assert not any(is_searched(m) for m in duel.searches)
    assert [m.study.runs.current() is not None for m in duel.searches] == [True] + [False] * (len(duel.searches) - 1)
    assert duel.searches[0].study.runs.current().state == "stopped"


def test_person_counts_up_to_the_budget_and_holds_the_finals_until_done(studies, tmp_path):
    problem = make_problem("branin", noise=0.2, protocol=Protocol(folds=3))
    duel = make_duel(studies, problem, [DuelArm("manual"), DuelArm("default")], Budget("trials", 3), finals=1)
    mine = duel.by_hand.study
    machine = finished(9, configuration={"x": 0.5, "y": 0.5}, arm="tpe", value=0.0, fold_scores=(0.0,) * 3)
    mine.record(machine)  # a search beside the sliders does not play for the person
    for i in range(5):
        height = 10.0 - i
        point = {"configuration": {"x": 0.1 * i, "y": 1.0}, "arm": "manual", "value": height}
        mine.record(finished(i, **point, fold_scores=(height,) * 3))
    fight(studies, tmp_path, duel.plan.key)
    duel = open_duel(studies, duel.plan.key)
    assert len(counted(duel, duel.by_hand)) == 3
    assert not is_ready_for_finals(duel)
    duel.ask(is_hand_done=True)
    fight(studies, tmp_path, duel.plan.key)
    final = open_duel(studies, duel.plan.key).by_hand.final()
    assert final["trial"] == 3  # the fourth and fifth were better, and not paid for
    assert all(map(math.isfinite, final["scores"]))


def test_duel_is_there_without_a_study_that_was_deleted(studies, tmp_path):
    duel = make_duel(studies, BRANIN, ARMS[1:], TWELVE, finals=1)
    fight(studies, tmp_path, duel.plan.key)
    studies.discard(duel.of_arm(1)[0].study.name)
    sides = sides_of(again := open_duel(studies, duel.plan.key))
    assert [len(side.tables) for side in sides] == [2, 0, 1]
    assert verdict_on(again, [side for side in sides if side.tables]).order


def test_seconds_of_a_person_are_those_of_the_clock(studies):
    duel = make_duel(studies, BRANIN, [DuelArm("manual"), DuelArm("default")], Budget("seconds", 60), finals=1)
    mine = duel.by_hand.study
    assert hand_use(duel, 1.7e9).used == 0
    for i, moment in enumerate((0, 20, 59, 61, 300)):
        trial = finished(i, configuration={"x": 0.1 * i, "y": 1.0}, arm="manual", value=5.0, fold_scores=(5.0,) * 3)
        mine.record(dataclasses.replace(trial, started=1.7e9 + moment - 1, completed=1.7e9 + moment))
    assert len(counted(duel, duel.by_hand)) == 3  # the clock began a second before the first ended
    use = hand_use(duel, 1.7e9 + 30)
    assert use.used == pytest.approx(301)
    assert use.left == 0
    duel.ask(is_hand_done=True)
    done = hand_use(open_duel(studies, duel.plan.key), 1.8e9)
    assert (done.used, done.seconds, done.is_done) == (60, pytest.approx(301), True)


def test_seat_says_which_duel_a_study_was_made_for(studies):
    duel = make_duel(studies, BRANIN, [DuelArm("manual"), DuelArm("default")], TWELVE)
    plan, arm = seat_of(duel.by_hand.study)
    assert (plan.key, arm.method) == (duel.plan.key, "manual")
    assert seat_of(make_study(studies, BRANIN, "alone")) is None
