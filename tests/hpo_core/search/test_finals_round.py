"""The finalists round of a study: asked for once, held to its end, cancelled, broken off, gone on with, widened."""

from __future__ import annotations

import dataclasses
import threading

import psutil
import pytest

from hpo_core.errors import StudyBusyError, UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import execute, make_study, start_run
from hpo_core.search.duel import DuelArm, make_duel
from hpo_core.search.dueling import fight
from hpo_core.search.finalists import Finalist, choose_finalists
from hpo_core.search.finals_process import finalists_after, fits_after, hold_after, hold_here
from hpo_core.search.finals_round import (
    ask_again,
    ask_for_finals,
    ask_to_go_on,
    finals_of,
    hold_finals_round,
    stop_finals,
)
from hpo_core.search.judging import finalist_name, verdict_on_finals
from hpo_core.studies.owner import Owner
from hpo_core.studies.run import Budget, RunSettings
from tests.finished_trials import finished
from tests.moody_landscape import fits_done, moody, wait_until

PROBLEM = make_problem("branin", noise=0.05, protocol=Protocol(folds=3))
DEAD = Owner(Owner.of_this_process().host, 2**22, 0.0)


@pytest.fixture
def study(studies):
    """Branin with the default, three good trials of a machine and a person's bad one."""
    made = make_study(studies, PROBLEM)
    places = [
        ("default", None),
        ("tpe", (3.14, 2.27)),
        ("tpe", (9.42, 2.47)),
        ("tpe", (-3.14, 12.27)),
        ("manual", (0, 0)),
    ]
    for i, (arm, place) in enumerate(places):
        configuration = PROBLEM.space.default() if place is None else dict(zip("xy", map(float, place), strict=True))
        scores = tuple(PROBLEM.fit(configuration, fold).score for fold in range(3))
        value = sum(scores) / 3
        made.record(finished(i, configuration=configuration, arm=arm, value=value, fold_scores=scores))
    return made


def asked(study, top=3, draws=2):
    table = study.read()
    return ask_for_finals(study, choose_finalists(PROBLEM, table, top), draws, n_trials=len(table))


def test_round_is_held_kept_and_judged(study, one_worker, fits):
    plan = asked(study).plan
    assert finals_of(study).state == "waiting"
    hold_finals_round(study, PROBLEM, plan.key, one_worker, fits)
    now = finals_of(study)
    assert (now.state, now.is_active, now.can_go_on, now.fault) == ("finished", False, False, "")
    assert now.found.plan == plan
    assert [len(fresh.scores) for fresh in now.found.scores] == [6] * 5
    verdict = verdict_on_finals(PROBLEM, now.found)
    names = [finalist_name(PROBLEM, now.found.plan.finalists[one.place]) for one in verdict.ranked]
    assert set(names[:3]) == {"trial 1", "trial 2", "trial 3"}  # the three equal minima
    assert set(names[3:]) == {"the default", "your trial 4"}
    assert all(one.is_tied for one in verdict.ranked[1:3])
    assert not any(one.is_tied for one in verdict.ranked[3:])
    assert verdict.sentences[1].startswith("Tuning helped")


def test_second_click_finds_the_round_under_way(study):
    first, second = asked(study), asked(study, top=1)
    assert second.plan == first.plan
    with pytest.raises(StudyBusyError, match="under way"):
        ask_again(study, PROBLEM, study.read(), [1])


def test_round_that_is_not_the_last_one_asked_for_is_not_held(study, one_worker, fits):
    asked(study)
    hold_finals_round(study, PROBLEM, "another", one_worker, fits)
    assert finals_of(study).state == "waiting"


def test_cancelled_round_ends_within_a_long_fit_and_goes_on_later(studies, one_worker, fits, pool_folder):
    problem = moody(noise=0.1, protocol=Protocol(folds=2))
    study = make_study(studies, problem)
    finalists = tuple(
        Finalist(configuration={"x": 0.777, "mood": "calm", "seconds": seconds}, trial=i, arm="tpe", value=1.0)
        for i, seconds in enumerate((0.0, 600.0))
    )
    key = ask_for_finals(study, finalists, 1).plan.key
    thread = threading.Thread(target=hold_finals_round, args=(study, problem, key, one_worker, fits))
    thread.start()
    wait_until(lambda: finals_of(study).pace.done == 1, "the first fit")
    assert finals_of(study).state == "running"
    stop_finals(study)
    thread.join(30)
    assert not thread.is_alive()
    now = finals_of(study)
    assert (now.state, now.can_go_on, now.found) == ("stopped", True, None)
    shorter = dataclasses.replace(finalists[1], configuration={**finalists[1].configuration, "seconds": 0.01})
    key = ask_for_finals(study, (finalists[0], shorter), 1).plan.key
    hold_finals_round(study, problem, key, one_worker, fits)
    assert finals_of(study).state == "finished"
    quick = [fit for fit in fits_done(pool_folder) if fit["x"] == 0.777 and fit["seconds"] == 0.0]
    assert len(quick) == 2  # once on each fold: what was done before the cancel is not done again


def test_result_before_is_kept_until_another_round_has_ended(study, one_worker, fits):
    hold_finals_round(study, PROBLEM, asked(study).plan.key, one_worker, fits)
    before = finals_of(study).found
    again = asked(study, top=1)
    assert again.state == "waiting"
    stop_finals(study)
    assert finals_of(study).state == "stopped"
    assert finals_of(study).found == before


def test_round_of_a_dead_process_says_so_and_can_go_on(study, one_worker, fits):
    key = asked(study).plan.key
    study.set_attribute("finals_pace", {"key": key, "pace": [3, 30, 1.0], "fault": ""})
    study.set_attribute("finals_holder", dataclasses.asdict(DEAD))
    now = finals_of(study)
    assert (now.state, now.can_go_on, now.pace.done) == ("died", True, 3)
    hold_finals_round(study, PROBLEM, ask_to_go_on(study).plan.key, one_worker, fits)
    assert finals_of(study).state == "finished"
    with pytest.raises(UsageError, match="no finalists round that was broken off"):
        ask_to_go_on(study)


def test_process_that_never_came_is_missed_after_a_while(study):
    now = asked(study)
    study.set_attribute("finals_plan", {**now.plan.to_json(), "asked": now.plan.asked - 3600})
    assert finals_of(study).state == "died"


def test_round_that_another_living_process_holds_is_left_to_it(study, one_worker, fits):
    key = asked(study).plan.key
    other = Owner(DEAD.host, 1, psutil.Process(1).create_time())
    study.set_attribute("finals_pace", {"key": key, "pace": [3, 30, 1.0], "fault": ""})
    study.set_attribute("finals_holder", dataclasses.asdict(other))
    hold_finals_round(study, PROBLEM, key, one_worker, fits)
    assert finals_of(study).state == "running"
    assert finals_of(study).found is None


def test_fault_is_one_sentence_and_can_be_tried_again(study, one_worker, fits):
    exact = make_problem("branin")
    hold_finals_round(study, exact, asked(study).plan.key, one_worker, fits)
    now = finals_of(study)
    assert (now.state, now.can_go_on) == ("failed", True)
    assert "looks the same each time" in now.fault


def test_chosen_trials_join_the_last_round_and_the_same_again_get_more_folds(study, one_worker, fits):
    hold_finals_round(study, PROBLEM, asked(study, top=1, draws=4).plan.key, one_worker, fits)
    first = finals_of(study).found
    assert [one.trial for one in first.plan.finalists if one.arm == "tpe"] == [first.plan.finalists[0].trial]
    others = [number for number in (1, 2, 3) if number != first.plan.finalists[0].trial]
    plan = ask_again(study, PROBLEM, study.read(), others[:1]).plan
    assert {one.trial for one in plan.finalists} == {*(one.trial for one in first.plan.finalists), others[0]}
    assert plan.draws == 4
    hold_finals_round(study, PROBLEM, plan.key, one_worker, fits)
    second = finals_of(study).found
    kept = dict(zip((one.trial for one in second.plan.finalists), second.scores, strict=True))
    assert all(kept[one.trial] == fresh for one, fresh in zip(first.plan.finalists, first.scores, strict=True))
    plan = ask_again(study, PROBLEM, study.read(), others[:1]).plan
    assert plan.draws == 8
    assert {one.trial for one in plan.finalists} == set(kept)


def test_holdout_has_draws_enough(studies):
    problem = make_problem("wine", "naive_bayes", protocol=Protocol(kind="holdout"))
    study = make_study(studies, problem)
    study.record(finished(0, configuration=problem.space.default(), arm="tpe", value=0.9, fold_scores=(0.9,)))
    assert ask_again(study, problem, study.read(), [0]).plan.draws == 10


# At the end of a search


def search(studies, problem, folder, trials=4, **options):
    study = make_study(studies, problem)
    settings = RunSettings(method="auto", options=options)
    run = execute(study, start_run(study, settings, Budget("trials", trials)), folder)
    hold_after(study, run, folder)
    return study, settings


def test_auto_scores_its_best_three_again_and_says_what_that_costs(studies, tmp_path):
    study, settings = search(studies, PROBLEM, tmp_path)
    now = finals_of(study)
    assert now.state == "finished"
    assert 3 <= len(now.found.plan.finalists) <= 4  # the default may be among the three
    assert {len(fresh.scores) for fresh in now.found.scores} == {6}
    assert sum(len(fresh.scores) for fresh in now.found.scores) <= fits_after(settings, PROBLEM) == 30
    assert study.runs.current().spent.trials == 4


def test_auto_leaves_it_out_when_told_to_and_where_nothing_is_fresh(studies, tmp_path):
    study, settings = search(studies, PROBLEM, tmp_path, finalists=0)
    assert finals_of(study) is None
    assert fits_after(settings, PROBLEM) == 0
    study, _ = search(studies, make_problem("branin"), tmp_path)
    assert finals_of(study) is None
    assert finalists_after(RunSettings(method="tpe"), PROBLEM) == 0
    time = make_problem("diabetes", "ridge", protocol=Protocol(kind="time"))
    assert finalists_after(RunSettings(method="auto"), time) == 0


def test_auto_in_a_duel_has_no_round_of_its_own(studies, tmp_path):
    arms = [DuelArm("auto"), DuelArm("default")]
    duel = make_duel(studies, PROBLEM, arms, Budget("trials", 4), finals=1)
    fight(studies, tmp_path, duel.plan.key)
    assert all(member.final() is not None for member in duel.members)
    assert all(finals_of(member.study) is None for member in duel.members)


def test_round_here_needs_no_other_process(study, tmp_path):
    hold_here(study, asked(study), tmp_path)
    assert finals_of(study).state == "finished"
