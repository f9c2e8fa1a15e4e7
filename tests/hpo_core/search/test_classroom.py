"""Classes: names, codes and tokens, who may try what, and what comes of it at the end."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import problem_of
from hpo_core.search.class_names import MOST_LETTERS, checked_name, new_code, parsed_code
from hpo_core.search.class_results import is_scored, machine_so_far, people_so_far, results_frame, results_of
from hpo_core.search.classroom import classes, join, make_class, open_class, why_hidden
from hpo_core.search.duel import DuelArm, DuelPlan, duels, open_duel
from hpo_core.search.dueling import is_ready_for_finals
from hpo_core.search.fits import FitStore
from hpo_core.search.keeping import rename_duel
from hpo_core.search.manual import ManualArm
from hpo_core.search.turnstile import Turnstile
from hpo_core.studies.tables import DUEL_ATTRIBUTE
from tests.direct_executor import DirectExecutor

HILLS = make_problem("branin", noise=0.2, protocol=Protocol(folds=3))
ARMS = (DuelArm("random", 2), DuelArm("default"))


@pytest.fixture
def manual(tmp_path):
    store = FitStore(tmp_path / "fits.db")
    arm = ManualArm(DirectExecutor(), store)
    yield arm
    arm.close()
    store.close()


def opened(storage, n_tries=4, **options):
    room, teacher = make_class(storage, HILLS, ARMS, n_tries, **options)
    return room, teacher


def play(manual, storage, room, token, *places):
    """Tries the default and then these places; how many of them were let through."""
    seat = open_class(storage, room.code).seat(token)
    turnstile = Turnstile(seat)
    default = HILLS.space.default()
    tried = [(default, "default"), *(({"x": x, "y": y}, "manual") for x, y in places)]
    n_through = 0
    for configuration, arm in tried:
        if arm == "default" or not turnstile.why_not(configuration):
            nudge = manual.nudge(HILLS, configuration, who=token, study=seat.study, arm=arm)
            turnstile.let_through(nudge)
            assert nudge.wait_until_over(10)
            n_through += 1
    return n_through


def test_class_and_its_people_are_found_again_by_code_and_tokens_alone(storage):
    room, teacher = opened(storage, shows_machine=True)
    ada, bob = join(storage, room, "  Ada  L. "), join(storage, room, "Bob")
    again = open_class(storage, f" {room.code[:2].lower()}-{room.code[2:]}")
    assert again.seat(ada).name == "Ada L."
    assert again.seat(bob).study.name != again.seat(ada).study.name
    assert again.is_teacher(teacher)
    assert not again.is_teacher(ada)
    assert again.rules == room.rules
    assert again.rules.shows_machine
    assert [one.code for one in classes(storage)] == [room.code]
    kept = str([member.study.attributes for member in again.duel.members])
    assert not any(token in kept for token in (teacher, ada, bob))
    with pytest.raises(UsageError, match="nobody in this class"):
        again.seat(teacher)
    with pytest.raises(UsageError, match="no class with the code 'ZZZZZ'"):
        open_class(storage, "zzzzz")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "a letter or a digit"),
        ("   ", "a letter or a digit"),
        ("!?", "a letter or a digit"),
        ("a" * (MOST_LETTERS + 1), f"at most {MOST_LETTERS}"),
        ("Ada\nBob", "cannot be seen"),
        ("Ada\u202eboB", "cannot be seen"),
        ("ada", "taken"),
        ("ＡＤＡ", "taken"),
        ("Random", "taken"),
    ],
)
def test_names_that_cannot_be_are_refused_in_a_sentence(studies, name, words):
    room, _ = opened(studies)
    join(studies, room, "Ada")
    with pytest.raises(UsageError, match=words):
        join(studies, open_class(studies, room.code), name)


def test_of_two_who_take_a_name_at_the_same_moment_one_has_it(storage):
    room, _ = opened(storage)
    came, gone = [], []

    def come(name):
        try:
            came.append(join(storage, room, name))
        except UsageError as fault:
            gone.append(str(fault))

    threads = [threading.Thread(target=come, args=(name,)) for name in ("Ada", "ADA", "ada")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == 1
    assert all("taken" in fault for fault in gone)
    assert len(open_class(storage, room.code).duel.people) == 1


def test_markup_in_a_name_is_a_name_and_codes_are_easy_to_read():
    assert checked_name("<b>Ada</b>") == "<b>Ada</b>"
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert not set("".join(codes)) & set("01OILSUZ")
    assert all(parsed_code(code.lower()) == code for code in codes)


def test_budget_is_kept_and_only_while_the_class_plays(studies, manual):
    room, _ = opened(studies)
    token = join(studies, room, "Ada")
    seat = open_class(studies, room.code).seat(token)
    assert Turnstile(seat).why_not({"x": 0.0, "y": 1.0}) == "The class has not begun yet."
    room.play("running")
    assert play(manual, studies, room, token, (0, 1), (0, 2), (0, 3), (0, 4), (0, 5)) == 4
    turnstile = Turnstile(seat)
    assert (turnstile.n_used, turnstile.n_left) == (4, 0)
    assert turnstile.why_not({"x": 0.0, "y": 4.0}) == "All 4 tries are used."
    assert turnstile.why_not({"x": 0.0, "y": 3.0}) == ""  # to go back is free
    room.play("paused")
    assert turnstile.why_not({"x": 0.0, "y": 3.0}) == "The class is paused."


def test_what_is_scored_but_not_recorded_yet_counts(studies):
    room, _ = opened(studies, n_tries=2)
    room.play("running")
    token = join(studies, room, "Ada")
    turnstile = Turnstile(open_class(studies, room.code).seat(token))
    stuck = [_Unrecorded({"x": 0.0, "y": float(i)}) for i in range(2)]
    for nudge in stuck:
        assert turnstile.why_not(nudge.configuration) == ""
        turnstile.let_through(nudge)
    assert turnstile.why_not({"x": 1.0, "y": 1.0}) == "All 2 tries are used."
    stuck[0].is_over = True  # cancelled: nothing came of it
    assert turnstile.why_not({"x": 1.0, "y": 1.0}) == ""


class _Unrecorded:
    """A nudge whose trial waits for the storage."""

    is_over = False

    def __init__(self, configuration):
        self.configuration = configuration


def test_parameters_that_may_not_be_moved_are_locked_for_everybody(studies):
    room, _ = make_class(studies, make_problem("iris", "svm"), ARMS, 5, movable=["C"])
    join(studies, room, "Ada")
    for member in open_class(studies, room.code).duel.members:
        space = problem_of(member.study).space
        assert [p.name for p in space.parameters if getattr(p, "low", 0) != getattr(p, "high", 0)] == ["C"]
    with pytest.raises(UsageError, match="Nothing is left to move"):
        make_class(studies, make_problem("iris", "svm"), ARMS, 5, movable=["degree"])


def test_nothing_of_a_class_is_shown_before_its_end(studies, manual):
    room, _ = opened(studies)
    token = join(studies, room, "Ada")
    room.play("running")
    play(manual, studies, room, token, (0, 1))
    study = open_class(studies, room.code).seat(token).study
    assert "until then only the teacher's page" in why_hidden(studies, study)
    marks = [summary.duel for summary in studies.summaries()]
    assert {(mark.code, mark.is_blind) for mark in marks} == {(room.code, True)}
    assert sum(mark.arm == "manual" for mark in marks) == 1
    room.end(studies)
    assert why_hidden(studies, study) == ""
    assert not any(summary.duel.is_blind for summary in studies.summaries())
    with pytest.raises(UsageError, match="is over"):
        join(studies, room, "Bob")


def test_name_that_is_taken_off_is_free_and_its_address_opens_nothing(studies):
    room, _ = opened(studies)
    token = join(studies, room, "Ada")
    room = open_class(studies, room.code)
    room.remove(studies, "Ada")
    room = open_class(studies, room.code)
    assert room.duel.people == ()
    with pytest.raises(UsageError, match="nobody in this class"):
        room.seat(token)
    join(studies, room, "Ada")


def test_renamed_class_keeps_its_people(studies):
    room, _ = opened(studies)
    token = join(studies, room, "Ada")
    rename_duel(studies, open_duel(studies, "class 1"), "monday")
    again = open_class(studies, room.code)
    assert (again.duel.plan.name, again.seat(token).name) == ("monday", "Ada")
    (plan,) = duels(studies).values()
    assert [arm.method for arm in plan.arms] == ["random", "default"]
    assert all(DuelPlan.from_json(m.study.attributes[DUEL_ATTRIBUTE]["plan"]) == plan for m in again.duel.members)


def test_end_says_whether_the_first_of_the_people_was_more_than_lucky(studies, manual):
    room, _ = opened(studies, finals=2)
    tokens = [join(studies, room, name) for name in ("Ada", "Bob", "Cleo")]
    room.play("running")
    play(manual, studies, room, tokens[0], (3.14, 2.27), (9.4, 2.4))
    play(manual, studies, room, tokens[1], (0, 15))
    people = people_so_far(open_class(studies, room.code).duel)
    assert [(one.name, one.n_tries) for one in people] == [("Ada", 3), ("Bob", 2), ("Cleo", 0)]
    assert np.isnan(people[2].best)
    duel = open_class(studies, room.code).duel
    for member in duel.searches:
        manual.nudge(HILLS, HILLS.space.default(), who=member.seed, study=member.study, arm="default").wait_until_over(
            9
        )
    assert [(one.arm.method, sorted(one.best)) for one in machine_so_far(duel)] == [
        ("random", [0, 1]),
        ("default", [0]),
    ]
    assert not is_ready_for_finals(duel)  # people still play
    room.end(studies)
    assert not is_scored(duel)
    scores = {"Ada": (0.4, 0.5, 0.6, 0.5, 0.4, 0.6), "Bob": (9.0, 9.2, 8.8, 9.0, 9.1, 8.9), "Cleo": ()}
    for member in open_class(studies, room.code).duel.members:
        name = member.person.name if member.person else ""
        member.set_final({"scores": list(scores.get(name, (20.0, 20.4, 19.8, 20.0, 20.1, 20.2)))})
    results = results_of(open_class(studies, room.code).duel)
    assert [(row.name, row.place) for row in results.rows] == [
        ("Ada", 1), ("Bob", 2), ("Random", 3), ("Default", 3), ("Cleo", None)
    ]  # fmt: skip
    assert results.sentences[0].startswith("Ada won, and it was more than luck: 0.5000 on fresh folds")
    assert "3 comparisons with Ada" in results.sentences[-1]
    assert results_frame(results)["fresh folds"].tolist()[:2] == pytest.approx([0.5, 9.0])
