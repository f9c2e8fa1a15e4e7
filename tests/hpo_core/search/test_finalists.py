"""Fresh folds, who is scored on them, and that the scores are what they say."""

from __future__ import annotations

import pytest

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.ranges import Range
from hpo_core.schedule import Schedule, Segment
from hpo_core.search import make_study
from hpo_core.search.finalists import (
    Finalist,
    choose_finalists,
    choose_trials,
    expected_seconds,
    fresh_problems,
    score_on,
    suited_draws,
    why_no_fresh_folds,
)
from tests.finished_trials import finished
from tests.moody_landscape import fits_done, moody

WINE = make_problem("wine", "svm")
NOISY = make_problem("branin", noise=0.2, protocol=Protocol(folds=3))


def recorded(studies, problem, *trials):
    """A study of Branin with these trials: (arm, x, value)."""
    study = make_study(studies, problem)
    for i, (arm, x, value) in enumerate(trials):
        configuration = {**problem.space.default(), "x": x} if x is not None else problem.space.default()
        study.record(finished(i, configuration=configuration, arm=arm, value=value, fold_scores=(value,) * 3))
    return study.read()


@pytest.mark.parametrize("protocol", [Protocol(), Protocol(kind="holdout"), Protocol(repeats=2)], ids=lambda p: p.title)
def test_fresh_folds_hold_the_same_locked_rows_and_others_to_validate_on(protocol):
    problem = make_problem("wine", "svm", protocol=protocol)
    seen = {tuple(valid.tolist()) for _, valid in problem.split.folds}
    locked = set(problem.split.test.tolist())
    for draw in fresh_problems(problem, 3):
        assert draw.split.test.tolist() == problem.split.test.tolist()
        for train, valid in draw.split.folds:
            assert not locked & {*train.tolist(), *valid.tolist()}
            assert tuple(valid.tolist()) not in seen
            seen.add(tuple(valid.tolist()))


def test_groups_stay_together_on_fresh_folds(tmp_path):
    path = tmp_path / "grouped.csv"
    rows = [f"{i % 7 + i / 100},{i % 12},{'a' if i % 3 else 'b'}" for i in range(120)]
    path.write_text("\n".join(["x,who,y", *rows]))
    protocol = Protocol(kind="grouped", column="who", folds=4)
    problem = make_problem(str(path), "decision_tree", target="y", protocol=protocol)
    who = problem.data.features["who"].to_numpy()
    divisions = []
    for draw in (problem, *fresh_problems(problem, 2)):
        assert all(not set(who[train]) & set(who[valid]) for train, valid in draw.split.folds)
        divisions.append(tuple(tuple(valid.tolist()) for _, valid in draw.split.folds))
    assert len(set(divisions)) == 3


def test_more_draws_leave_the_first_ones_as_they_are():
    configuration = WINE.space.default()
    few, many = fresh_problems(WINE, 2), fresh_problems(WINE, 4)
    keys = [[draw.fit_key(configuration, fold) for fold in range(draw.n_folds)] for draw in many]
    assert keys[:2] == [[draw.fit_key(configuration, fold) for fold in range(draw.n_folds)] for draw in few]
    assert len({key for row in keys for key in row}) == 4 * 5
    assert {WINE.fit_key(configuration, fold) for fold in range(5)}.isdisjoint(keys[0])


def test_space_of_the_problem_stays_on_fresh_folds():
    narrowed = WINE.space.narrowed({"C": Range(low=0.1, high=10.0)})
    problem = make_problem("wine", "svm", space=tuple(narrowed.to_json()))
    assert all(draw.space == problem.space for draw in fresh_problems(problem, 2))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (make_problem("branin"), "looks the same each time"),
        (make_problem("diabetes", "ridge", protocol=Protocol(kind="time")), "time order"),
    ],
    ids=["exact landscape", "time"],
)
def test_where_there_are_no_fresh_folds_it_is_said(problem, words):
    assert words in why_no_fresh_folds(problem.spec)
    with pytest.raises(UsageError, match=words):
        fresh_problems(problem, 1)


def test_number_of_draws_has_limits_and_suits_the_folds():
    for n_draws in (0, 21):
        with pytest.raises(UsageError, match=f"1 to 20 times; got {n_draws}"):
            fresh_problems(WINE, n_draws)
    holdout = make_problem("wine", "svm", protocol=Protocol(kind="holdout"))
    assert [suited_draws(problem.spec) for problem in (WINE, NOISY, holdout)] == [3, 4, 10]


def test_finalists_are_the_best_once_each_the_persons_best_and_the_default(studies):
    trials = [("default", None, 9.0), ("random", 1.0, 5.0), ("tpe", 1.0, 5.0), ("tpe", 1.5, 6.0), ("tpe", 3.0, 7.0),
              ("manual", 8.0, 20.0), ("manual", 9.0, 30.0)]  # fmt: skip
    found = choose_finalists(NOISY, recorded(studies, NOISY, *trials), 2)
    assert [(one.trial, one.arm, one.value) for one in found] == [
        (1, "random", 5.0),
        (3, "tpe", 6.0),
        (5, "manual", 20.0),
        (0, "default", 9.0),
    ]


def test_default_that_nobody_tried_is_a_finalist_all_the_same(studies):
    found = choose_finalists(NOISY, recorded(studies, NOISY, ("tpe", 1.0, 5.0)), 5)
    assert [one.trial for one in found] == [1 - 1, None]
    assert found[1].configuration == NOISY.space.default()
    assert found[1].value is None


def test_chosen_trials_stand_beside_the_best_and_the_default(studies):
    table = recorded(studies, NOISY, ("default", None, 9.0), ("tpe", 1.0, 5.0), ("tpe", 2.0, 6.0), ("tpe", 3.0, 7.0))
    assert [one.trial for one in choose_trials(NOISY, table, [3])] == [1, 3, 0]
    with pytest.raises(UsageError, match="None of these trials"):
        choose_trials(NOISY, table, [99])


def test_wrong_numbers_of_finalists_are_refused(studies):
    table = recorded(studies, NOISY, ("tpe", 1.0, 5.0))
    with pytest.raises(UsageError, match="From 1 to 30 finalists can be taken; got 0"):
        choose_finalists(NOISY, table, 0)
    with pytest.raises(UsageError, match="nothing to score again"):
        choose_finalists(NOISY, make_study(studies, NOISY).read(), 5)
    many = [("tpe", i / 40, float(i)) for i in range(40)]
    with pytest.raises(UsageError, match="At most 30 configurations"):
        choose_trials(NOISY, recorded(studies, NOISY, *many), range(40))


def test_finalist_survives_json_with_its_schedule():
    past = Schedule(1.0, (Segment({"x": 0.5}, 0.4),))
    for one in (Finalist(configuration={"x": 1.0}, schedule=past, trial=3, arm="tpe", value=0.5),
                Finalist(configuration={})):  # fmt: skip
        assert Finalist.from_json(one.to_json()) == one


def test_scores_are_those_of_the_fits_themselves(two_workers, fits):
    finalists = [Finalist(configuration=WINE.space.default()),
                 Finalist(configuration={**WINE.space.default(), "C": 0.01})]  # fmt: skip
    draws, paces = fresh_problems(WINE, 2), []
    found = score_on(draws, finalists, two_workers, fits, on_progress=paces.append)
    for one, fresh in zip(finalists, found, strict=True):
        expected = [draw.fit(one.configuration, fold).score for draw in draws for fold in range(5)]
        assert fresh.scores == pytest.approx(tuple(expected))
        assert fresh.why == ""
    assert [pace.total for pace in paces] == [20] * len(paces)
    assert paces[-1] == (20, 20, 0.0)
    assert [pace.done for pace in paces] == sorted(pace.done for pace in paces)


def test_known_fits_are_not_done_again(one_worker, fits, pool_folder):
    problem = moody(noise=0.1, protocol=Protocol(folds=3))
    one = Finalist(configuration={"x": 0.123, "mood": "calm", "seconds": 0.0})
    first = score_on(fresh_problems(problem, 1), [one], one_worker, fits)
    again = score_on(fresh_problems(problem, 2), [one], one_worker, fits)
    assert again[0].scores[:3] == first[0].scores
    assert len([fit for fit in fits_done(pool_folder) if fit["x"] == 0.123]) == 6


@pytest.mark.parametrize(("mood", "words"), [("angry", "out of temper"), ("gone", "was killed during this fit")])
def test_finalist_that_fails_fails_alone_and_says_why(mood, words, one_worker, fits):
    problem = moody(noise=0.1, protocol=Protocol(folds=2))
    moods = [Finalist(configuration={"x": 0.4, "mood": name, "seconds": 0.0}) for name in (mood, "calm")]
    broken, calm = score_on(fresh_problems(problem, 2), moods, one_worker, fits)
    assert broken.scores == ()
    assert words in broken.why
    assert len(calm.scores) == 4


def test_what_is_no_longer_wanted_ends_within_a_long_fit(one_worker, fits):
    problem = moody(noise=0.1, protocol=Protocol(folds=2))
    slow = Finalist(configuration={"x": 0.4, "mood": "calm", "seconds": 600.0})
    looks = iter([True, True, False])
    assert score_on(fresh_problems(problem, 1), [slow], one_worker, fits, is_wanted=lambda: next(looks)) is None


def test_cost_is_told_from_the_fits_of_the_search(studies):
    study = make_study(studies, NOISY)
    study.record(finished(0, configuration={"x": 1.0, "y": 1.0}, arm="tpe", fit_seconds=(2.0,), predict_seconds=(1.0,)))
    table = study.read()
    finalists = choose_finalists(NOISY, table, 5)
    assert expected_seconds(table, finalists, 10, 2) == pytest.approx(3.0 * 10 * 2 / 2)
    assert expected_seconds(table, finalists[1:], 10, 2) is None
