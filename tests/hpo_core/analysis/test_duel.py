"""What a duel says: curves over a budget, chances, and sentences that claim no more than there is."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.duel import Side, chance_ahead, curve, outcome, practical_equivalence, spent
from tests.trial_tables import build_table

RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.002, (4, 15))


def side(label, level, noise, *, is_default=False, n_seeds=2):
    finals = tuple(tuple((level + noise + 1e-5 * seed).tolist()) for seed in range(n_seeds))
    tables = tuple(build_table(10, values=np.full(10, level), direction="maximize") for _ in range(n_seeds))
    return Side(label, tables, finals, is_default)


def test_clear_lead_is_a_win_over_the_default() -> None:
    sides = [side("Auto", 0.95, NOISE[0]), side("Default", 0.80, NOISE[1], is_default=True)]
    found = outcome(sides, overlap=0.25, rope=0.01)
    assert found.is_final
    assert found.order == (0, 1)
    assert found.sentences[0].startswith("Auto won: 0.949")
    assert found.sentences[1].startswith("Tuning helped: 0.1")
    assert found.pairs[0].judgement.verdict == "better"


def test_many_that_are_tied_are_counted_and_few_are_named() -> None:
    few, many = ([side(f"Arm {i}", 0.9, NOISE[i % 4]) for i in range(n)] for n in (4, 12))
    assert "against Arm" in outcome(few, overlap=0.25, rope=0.01).sentences[0]
    assert "against 11 of the 11 other arms." in outcome(many, overlap=0.25, rope=0.01).sentences[0]


def test_small_lead_is_a_tie_and_tuning_did_not_help() -> None:
    sides = [side("Auto", 0.901, NOISE[0]), side("Default", 0.9, NOISE[1], is_default=True)]
    found = outcome(sides, overlap=0.25, rope=0.01)
    assert found.sentences[0].startswith("A tie at the top: Auto leads")
    assert found.sentences[1] == "Tuning did not help: the best arm and the default are equivalent."


def test_default_in_the_lead_is_said() -> None:
    sides = [side("Auto", 0.7, NOISE[0]), side("Default", 0.9, NOISE[1], is_default=True)]
    assert outcome(sides, overlap=0.25, rope=0.01).sentences[1] == (
        "Tuning did not help: the default configuration leads."
    )


def test_noise_leaves_it_open() -> None:
    wild = RNG.normal(0, 0.08, (2, 15))
    sides = [side("Auto", 0.91, wild[0]), side("Default", 0.9, wild[1], is_default=True)]
    assert "cannot be told" in outcome(sides, overlap=0.25, rope=0.001).sentences[1]


def test_lower_is_better_for_losses() -> None:
    def loss(label, level, noise):
        table = build_table(10, values=np.full(10, level), direction="minimize")
        return Side(label, (table,), (tuple((level + noise).tolist()),))

    found = outcome([loss("bad", 0.5, NOISE[0]), loss("good", 0.2, NOISE[1])], overlap=0.25, rope=0.002)
    assert found.order == (1, 0)
    assert found.sentences[0].startswith("good won")


def test_without_fresh_folds_it_goes_by_the_folds_of_the_search_and_says_so() -> None:
    sides = [Side(name, (build_table(30, direction="maximize"),)) for name in "ab"]
    found = outcome(sides, overlap=0.25, rope=0.01)
    assert not found.is_final
    assert "without the luck of picking" in found.sentences[0]


@pytest.mark.parametrize("kind", ["trials", "fits", "seconds"])
def test_curve_ends_at_the_best_and_never_falls(kind) -> None:
    table = build_table(40, direction="maximize")
    end = float(np.nanmax(spent(table, kind)))
    one = curve(Side("a", (table,)), kind, end)
    known = one.mean[np.isfinite(one.mean)]
    assert known[-1] == table.values[table.best()]
    assert (np.diff(known) >= 0).all()


def test_interval_of_a_curve_is_of_the_mean_over_the_seeds() -> None:
    tables = tuple(build_table(8, values=np.full(8, value), direction="maximize") for value in (0.8, 0.9, 1.0))
    one = curve(Side("a", tables), "trials", 8)
    assert one.mean[-1] == pytest.approx(0.9)
    assert one.high[-1] - one.mean[-1] == pytest.approx(4.302653 * 0.1 / np.sqrt(3))


def test_chance_counts_pairs_of_seeds_and_halves_of_ties() -> None:
    def of(*values):
        tables = tuple(build_table(4, values=np.full(4, v), direction="maximize") for v in values)
        return curve(Side("a", tables), "trials", 4)

    assert chance_ahead(of(0.9, 0.8), of(0.7, 0.8), -1.0)[-1] == pytest.approx(0.875)
    assert chance_ahead(of(0.9, 0.8), of(0.7, 0.8), 1.0)[-1] == pytest.approx(0.125)


def test_what_does_not_matter_is_a_hundredth_of_the_scale() -> None:
    assert practical_equivalence(0.5, is_share=True) == 0.01
    assert practical_equivalence(-200.0, is_share=False) == 2.0
    assert practical_equivalence(float("nan"), is_share=False) == 0.01
