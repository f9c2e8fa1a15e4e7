"""Lesson 5: the brackets of the paper, curves that agree or cross, and who waits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._learning_curves import AGREE, CHECKS, CROSS, FOLDS, LONGEST, TRAININGS, Curves
from hpo_core.lessons._tournaments import (
    after_rungs,
    bracket_table,
    idle_share,
    runners_of,
    whole_rungs,
    winner_of,
    without_waiting,
)
from hpo_core.methods.asha import AsynchronousHalving
from hpo_core.methods.hyperband import Hyperband
from hpo_core.methods.successive_halving import SuccessiveHalving
from hpo_core.options import with_options
from hpo_core.schedule import Schedule

HALVING = SuccessiveHalving(eta=3, smallest=1 / 9, n_first=9)
SEEN = LessonState(moves=("guessed",))
# Table 1 of Li et al. (2018): of each bracket how many configurations, and after how many epochs.
TABLE_1 = (
    ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81)),
    ((27, 3), (9, 9), (3, 27), (1, 81)),
    ((9, 9), (3, 27), (1, 81)),
    ((6, 27), (2, 81)),
    ((5, 81),),
)


def scene_of(state, workshop, **options):
    lesson = with_options(LESSONS["hyperband"], options)
    while (scene := lesson.scene(state, workshop)).waits_for:
        pass
    return scene


def halved(kind=AGREE, seed=1):
    curves = Curves(kind)
    return curves, runners_of(HALVING, curves, 9, 13, seed)


@pytest.mark.parametrize("kind", [AGREE, CROSS])
@pytest.mark.parametrize(("row", "column"), [(0, 5), (6, 2), (11, 0)])
def test_recorded_losses_are_those_of_the_lab_s_network(kind, row, column):
    training = TRAININGS[kind]
    rates, widths = training.grid
    configuration = training.configuration(rates[row], widths[column])
    found = Curves(kind).loss({"learning_rate": rates[row], "width": widths[column]}, [1, 3])
    for epochs, loss in zip((1, 3), found, strict=True):
        schedule = Schedule(epochs / LONGEST)
        fits = [training.problem.fit(configuration, fold, schedule).score for fold in range(FOLDS)]
        assert np.mean(fits) == pytest.approx(loss, rel=0.02)


def test_who_leads_early_leads_late_or_not():
    """Rank correlation of the losses after the first and after the last epoch, over configurations at random."""
    rng = np.random.default_rng(0)
    found = {}
    for kind in (AGREE, CROSS):
        curves = Curves(kind)
        drawn = [curves.space.from_unit(point) for point in rng.random((200, 2))]
        first, last = np.array([curves.loss(c, [CHECKS[0], CHECKS[-1]]) for c in drawn]).T
        found[kind] = stats.spearmanr(first, last).statistic
    assert found[AGREE] > 0.9
    assert found[CROSS] < 0


def test_brackets_are_those_of_the_paper(workshop):
    scene = scene_of(SEEN, workshop, method="Hyperband")
    table = scene.numbers["Rungs"]
    expected = [(b + 1, i + 1, e, n) for b, rungs in enumerate(TABLE_1) for i, (n, e) in enumerate(rungs)]
    assert [tuple(row) for row in table.itertuples(index=False)] == expected
    assert not scene.check.is_done  # where early tells late there is nothing to be saved


def test_best_third_of_each_rung_goes_on():
    curves, runners = halved()
    assert bracket_table(runners)["configurations"].tolist() == [9, 3, 1]
    by_loss = sorted(runners, key=lambda r: float(curves.loss(r.configuration, 1)))
    assert {r.slot for r in by_loss[:3]} == {r.slot for r in runners if r.last_rung > 0}
    assert [sum(snapshot.is_in) for snapshot in after_rungs(runners)] == [9, 3, 1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_curves_that_agree_never_change_places_and_curves_that_cross_do(seed):
    for kind in (AGREE, CROSS):
        curves, runners = halved(kind, seed)
        first = min(runners, key=lambda r: float(curves.loss(r.configuration, 1)))
        last = min(runners, key=lambda r: float(curves.loss(r.configuration, 81)))
        assert (first is last) == (kind == AGREE)
        assert winner_of(runners, curves).epochs[-1] == 9


def test_whole_rungs_wait_for_their_last():
    curves, runners = halved()
    jobs = whole_rungs(runners, curves, 4)
    for rung in (1, 2):
        begins = [job.begin for job in jobs if job.rung == rung]
        assert min(begins) >= max(job.end for job in jobs if job.rung == rung - 1)
    assert idle_share(jobs, 4) > 0.1


def test_nobody_waits_in_asha_and_only_the_best_third_so_far_goes_on():
    curves = Curves(AGREE)
    end = 80 * curves.seconds(curves.space.default())
    runners, jobs = without_waiting(AsynchronousHalving(eta=3, smallest=1 / 9), curves, 9, end, 4, seed=1)
    for worker in range(4):
        own = [job for job in jobs if job.worker == worker]
        assert own[0].begin == 0
        assert all(before.end == after.begin for before, after in pairwise(own))
        assert own[-1].end == end
    loss = {(r.slot, rung): float(curves.loss(r.configuration, e)) for r in runners for rung, e in enumerate(r.epochs)}
    assert len(loss) == sum(job.end < end for job in jobs)
    promoted = [job for job in jobs if job.rung]
    assert promoted
    for job in promoted:
        below = sorted(loss[j.slot, j.rung] for j in jobs if j.rung == job.rung - 1 and j.end <= job.begin)
        assert loss[job.slot, job.rung - 1] in below[: len(below) // 3]


def test_who_gets_furthest_is_predicted_before_it_is_shown(workshop):
    first = scene_of(LessonState(), workshop)
    assert first.film.n_steps == 0
    assert set(first.numbers["Rungs"]["rung"]) == {1}
    lesson = LESSONS["hyperband"]
    said = [scene_of(lesson.guessed(LessonState(), letter), workshop).told[0].text for letter in first.ask.choices]
    assert sum(text.endswith("81 epochs.") and "and so it is" in text for text in said) == 1


def test_first_rung_misleads_where_curves_cross_and_whole_trainings_mend_it(workshop):
    halving = scene_of(SEEN, workshop, curves="curves cross")
    assert not halving.check.is_done
    assert any("was dropped after 1 epoch" in told.text for told in halving.told)
    assert scene_of(SEEN, workshop, curves="curves cross", method="Hyperband").check.is_done


def test_hyperband_trains_more_than_one_to_the_end():
    curves = Curves(AGREE)
    runners = runners_of(Hyperband(eta=3, smallest=1 / 9), curves, 9, 22, seed=1)
    assert sum(r.epochs[-1] == 9 for r in runners) == 5
