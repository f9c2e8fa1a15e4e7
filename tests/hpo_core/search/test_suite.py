"""Suites: the same arms over many problems, fought to the end, stopped and gone on with, and kept together."""

from __future__ import annotations

import pytest

from hpo_core.errors import StudyBusyError, UsageError
from hpo_core.problem import ProblemSpec, make_problem
from hpo_core.protocol import Protocol
from hpo_core.search.duel import DuelArm, duels, make_duel, open_duel
from hpo_core.search.dueling import fight, is_over, is_searched
from hpo_core.search.keeping import (
    bring_back,
    deleted_duels,
    discard_duels,
    draw_anew,
    rename_duel,
    rename_suite,
)
from hpo_core.search.suite import bouts_of, make_suite, open_suite, standing_of, suites, unbegun
from hpo_core.search.suite_plan import PRESETS, cost_of, known_problems, name_of
from hpo_core.studies.owner import Owner
from hpo_core.studies.run import Budget, RunSettings

THREE = Protocol(folds=3)
PROBLEMS = [make_problem("branin", noise=0.2, protocol=THREE), make_problem("himmelblau", noise=0.2, protocol=THREE)]
ARMS = (DuelArm("sobol", 2), DuelArm("random", 2), DuelArm("default"))
FEW = (DuelArm("sobol"), DuelArm("random"), DuelArm("default"))  # each search takes workers of its own
SIX = Budget("trials", 6)


def stand(suite):
    return standing_of([(bout, is_over(bout.duel)) for bout in bouts_of(suite.duels)])


def test_a_suite_is_a_duel_on_each_problem_under_one_name(studies):
    suite = make_suite(studies, PROBLEMS, ARMS, SIX, name="mine")
    again = open_suite(studies, "mine")
    assert [duel.plan for duel in again.duels] == [duel.plan for duel in suite.duels]
    assert [duel.plan.name for duel in again.duels] == ["mine, branin", "mine, himmelblau"]
    assert open_suite(studies, suite.key).n_searches == 10
    assert {plan.suite_key for plan in suites(studies)[suite.key]} == {suite.key}
    assert [duel.title for duel in again.duels] == [problem.title for problem in PROBLEMS]
    assert make_suite(studies, PROBLEMS, ARMS, SIX).name == "suite 1"


@pytest.mark.parametrize(
    ("problems", "arms", "words"),
    [
        (PROBLEMS[:1], ARMS, "from 2 to 40 problems; got 1"),
        ([PROBLEMS[0], PROBLEMS[0]], ARMS, "is there twice"),
        (PROBLEMS, (DuelArm("manual"), *ARMS), "one problem at a time"),
        (PROBLEMS, ARMS[:1], "at least two arms"),
        (PROBLEMS, (*ARMS, DuelArm("automl_portfolio")), "model AutoML"),
        ([*PROBLEMS, make_problem("iris", "svm", second="fit_seconds")], ARMS, "one score"),
    ],
)
def test_what_is_no_suite_is_refused_before_anything_is_made(studies, problems, arms, words):
    with pytest.raises(UsageError, match=words):
        make_suite(studies, problems, arms, SIX)
    assert not studies.summaries()


def test_names_are_taken_once_and_unknown_ones_are_named(studies):
    make_suite(studies, PROBLEMS, ARMS, SIX, name="mine")
    with pytest.raises(UsageError, match="already"):
        make_suite(studies, PROBLEMS, ARMS, SIX, name="mine")
    with pytest.raises(UsageError, match="no suite 'other'"):
        open_suite(studies, "other")


def test_one_lane_fights_all_duels_and_the_arms_are_ranked(studies, tmp_path):
    suite = make_suite(studies, PROBLEMS, FEW, SIX)
    assert stand(suite).ranking is None
    told = []
    fight(studies, tmp_path, *(duel.plan.key for duel in suite.duels), on_searched=told.append)
    found = stand(open_suite(studies, suite.name))
    assert len(told) == 6
    assert (found.n_over, found.n_counted) == (2, 2)
    assert found.ranks.sum(axis=1).tolist() == [6.0, 6.0]
    assert all(contest.outcome.is_final for contest in found.contests)
    assert found.labels == ("Sobol", "Random", "Default")


def test_stopped_duels_are_left_and_gone_on_with_later(studies, tmp_path):
    suite = make_suite(studies, PROBLEMS, FEW, SIX)
    keys = [duel.plan.key for duel in suite.duels]
    suite.duels[0].ask(is_stopped=True)
    fight(studies, tmp_path, *keys)
    assert [is_over(duel) for duel in open_suite(studies, suite.key).duels] == [False, True]
    assert not any(map(is_searched, suite.duels[0].searches))
    suite.duels[0].ask(is_stopped=False)
    fight(studies, tmp_path, *keys)
    assert all(map(is_over, open_suite(studies, suite.key).duels))


def test_a_duel_that_breaks_off_says_why_and_the_others_go_on(studies, tmp_path, monkeypatch):
    from hpo_core.search import dueling

    suite = make_suite(studies, PROBLEMS, FEW, SIX)
    real = dueling.execute

    def broken(study, run, folder):
        if "branin" in study.name:
            raise UsageError("no luck")
        return real(study, run, folder)

    monkeypatch.setattr(dueling, "execute", broken)
    fight(studies, tmp_path, *(duel.plan.key for duel in suite.duels))
    first, second = open_suite(studies, suite.key).duels
    assert first.control["fault"] == "suite 1, branin: sobol: no luck"
    assert is_over(second)


def test_exact_landscapes_get_a_verdict_by_seed(studies, tmp_path):
    few = make_duel(studies, make_problem("branin"), FEW[1:], SIX)
    full = make_duel(studies, make_problem("branin"), (DuelArm("random", 5), DuelArm("default")), SIX)
    fight(studies, tmp_path, few.plan.key, full.plan.key)
    outcomes = [bout.outcome for bout in bouts_of([few, full])]
    assert outcomes[0].pairs == ()
    assert (
        "takes 5 fold scores of each arm, and there are 1. Give each search method 5 seeds or more."
        in (outcomes[0].sentences[0])
    )
    assert outcomes[1].is_by_seed
    assert len(outcomes[1].pairs) == 1
    assert "as the mean of the best of each seed" in outcomes[1].sentences[0]


def test_folds_that_are_too_few_are_drawn_anew_and_then_judged(studies, tmp_path):
    problem = make_problem("wine", "naive_bayes", protocol=Protocol(kind="holdout"))
    assert make_duel(studies, problem, ARMS, SIX).plan.finals == 5
    duel = make_duel(studies, problem, (DuelArm("random"), DuelArm("default")), SIX, finals=1)
    fight(studies, tmp_path, duel.plan.key)
    (bout,) = bouts_of([open_duel(studies, duel.plan.key)])
    assert bout.outcome.pairs == ()
    assert "there are 1. Fresh folds drawn 5 times would be enough." in bout.outcome.sentences[0]
    draw_anew(bout.duel, 5)
    fight(studies, tmp_path, duel.plan.key)
    (bout,) = bouts_of([open_duel(studies, duel.plan.key)])
    assert bout.duel.plan.finals == 5
    assert bout.outcome.is_final
    assert len(bout.outcome.pairs) == 1


def test_a_duel_not_begun_has_nothing_to_read(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    bout = unbegun(duel)
    assert bout.outcome is None
    assert [side.label for side in bout.sides] == ["Sobol", "Random", "Default"]


def test_renamed_duel_takes_its_studies_along(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    other = make_duel(studies, PROBLEMS[0], ARMS, SIX, name="other")
    studies.rename(duel.members[0].study.name, "my own name")
    rename_duel(studies, open_duel(studies, duel.plan.key), "<b>new</b>")
    renamed = open_duel(studies, "<b>new</b>")
    assert renamed.plan.key == duel.plan.key
    names = [member.study.name for member in renamed.members]
    assert names[0] == "my own name"
    assert names[1] == "<b>new</b>: random, seed 0"
    for name, words in (("other", "already"), (" ", "not empty"), ("x" * 500, "at most 400"), ("a\nb", "printable")):
        with pytest.raises(UsageError, match=words):
            rename_duel(studies, renamed, name)
    rename_duel(studies, other, "other")
    assert len(duels(studies)) == 2


def test_renamed_suite_takes_its_duels_along(studies):
    suite = make_suite(studies, PROBLEMS, ARMS, SIX)
    make_suite(studies, PROBLEMS, ARMS, SIX, name="other")
    rename_suite(studies, suite, "new")
    again = open_suite(studies, "new")
    assert again.key == suite.key
    assert [duel.plan.name for duel in again.duels] == ["new, branin", "new, himmelblau"]
    assert again.duels[0].members[0].study.name == "new, branin: sobol, seed 0"
    with pytest.raises(UsageError, match="already"):
        rename_suite(studies, again, "other")


def test_deleted_suite_comes_back_whole_and_under_another_name_if_its_own_is_taken(studies):
    suite = make_suite(studies, PROBLEMS, ARMS, SIX)
    n = len(studies.summaries())
    discard_duels(studies, suite.duels)
    assert not duels(studies)
    (gone,) = deleted_duels(studies)
    assert (gone.name, gone.is_suite, len(gone.studies)) == ("suite 1", True, n)
    second = make_suite(studies, PROBLEMS, ARMS, SIX)
    assert second.name == "suite 1"
    bring_back(studies, gone)
    assert deleted_duels(studies) == ()
    assert {plans[0].suite for plans in suites(studies).values()} == {"suite 1", "suite 1 (restored)"}
    assert len(open_suite(studies, suite.key).duels) == 2


def test_deleted_duel_comes_back_and_one_study_of_it_alone_joins_it_again(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    studies.discard(duel.members[1].study.name)
    (part,) = deleted_duels(studies)
    assert len(part.studies) == 1
    bring_back(studies, part)
    assert len(open_duel(studies, "duel 1").members) == 5
    discard_duels(studies, [open_duel(studies, "duel 1")])
    make_duel(studies, PROBLEMS[0], ARMS, SIX)
    bring_back(studies, deleted_duels(studies)[0])
    assert {plan.name for plan in duels(studies).values()} == {"duel 1", "duel 1 (restored)"}


def test_duel_that_is_on_is_not_deleted_and_none_of_its_studies_is_gone(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    last = duel.members[-1].study
    run = last.runs.begin(RunSettings(method="random"), SIX)
    last.runs.claim(run.id, Owner.of_this_process())
    with pytest.raises(StudyBusyError):
        discard_duels(studies, [duel])
    assert len(open_duel(studies, "duel 1").members) == 5


def test_attribute_of_another_program_is_no_duel(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    for strange in (3, "duel", {"plan": {"key": "x"}}, {"plan": 1}, None):
        duel.members[0].study.set_attribute("duel", strange)
        assert len(open_duel(studies, "duel 1").members) == 4
        assert sum(summary.duel is not None for summary in studies.summaries()) == 4


def test_summaries_say_which_duel_a_study_is_of_and_whether_it_is_blind(studies):
    arms = (DuelArm("manual"), DuelArm("random"), DuelArm("default"))
    duel = make_duel(studies, PROBLEMS[0], arms, SIX, is_blind=True)
    marks = {s.duel.arm: s.duel for s in studies.summaries()}
    assert {arm: mark.is_blind for arm, mark in marks.items()} == {"manual": False, "random": True, "default": True}
    assert {mark.key for mark in marks.values()} == {duel.plan.key}
    duel.ask(is_hand_done=True)
    assert not any(s.duel.is_blind for s in studies.summaries())


def test_cost_is_said_beforehand():
    specs = [ProblemSpec(data="wine", model="svm"), ProblemSpec(data="branin")]
    arms = (DuelArm("tpe", 2), DuelArm("random", 2, 2), DuelArm("default"))
    cost = cost_of(specs, arms, Budget("trials", 10))
    wine = (2 + 4) * 10 * 5 + 5 + 5 * 15
    assert (cost.n_searches, cost.n_fits, cost.n_final_fits) == (10, wine + 60 + 1, 75)
    assert cost.is_guess
    assert cost.seconds > 0
    timed = cost_of(specs, arms, Budget("seconds", 30), finals=0)
    assert (timed.seconds, timed.n_fits, timed.is_guess) == (2 * 6 * 30, 0, False)
    assert cost_of(specs[:1], arms, Budget("fits", 50), finals=0).n_fits == 6 * 50 + 5


def test_presets_are_problems_that_there_are_and_known_ones_have_names():
    known = known_problems()
    for preset in PRESETS:
        assert set(preset.specs) <= set(known.values())
        assert len(set(preset.specs)) == len(preset.specs) >= 6
    assert len({name_of(spec) for spec in known.values()}) == len(known)


def test_studies_are_opened_together_as_they_are_one_by_one(studies):
    duel = make_duel(studies, PROBLEMS[0], ARMS, SIX)
    names = [member.study.name for member in duel.members][::-1]
    found = studies.studies(names)
    assert [(s.name, s.key, s.study_id, s.direction) for s in found] == [
        (s.name, s.key, s.study_id, s.direction) for s in map(studies.study, names)
    ]
    with pytest.raises(UsageError, match="no study 'nobody'"):
        studies.studies(["nobody"])
