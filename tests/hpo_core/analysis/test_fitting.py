"""How closely the trials fit: over- and underfitting are losses on new rows, not gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.analysis.fitting import diagnosis, why_no_diagnosis
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

LOOSE, RIGHT, CLOSE = range(20), range(20, 40), range(40, 60)


def study(train: list[float], valid: list[float], direction: str = "maximize", noise: float = 0.002) -> TrialTable:
    """Twenty loose, twenty right and twenty close fits with these mean scores."""
    rng = np.random.default_rng(3)
    folds = np.repeat(valid, 20)[:, None] + rng.normal(0, noise, (60, 5))
    own = np.repeat(train, 20)[:, None] + rng.normal(0, noise / 4, (60, 5))
    return build_table(60, direction=direction, fold_scores=folds, train_scores=own, values=folds.mean(axis=1))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_over_and_underfitting_are_found_on_their_sides(direction: str) -> None:
    sign = 1 if direction == "maximize" else -1
    table = study([sign * x for x in (0.80, 0.93, 1.0)], [sign * x for x in (0.79, 0.91, 0.85)], direction)
    found = diagnosis(table, 0.25)
    assert found.row in RIGHT
    assert 20 <= found.closer.count < 30
    assert found.looser.count == 20
    assert found.closer.loss == pytest.approx(0.06, abs=0.01)
    assert found.looser.loss == pytest.approx(0.12, abs=0.01)
    assert found.gap.mean == pytest.approx(0.02, abs=0.005)
    assert "they overfit" in found.sentences[1]
    assert "they underfit" in found.sentences[2]
    assert found.sentences[3] == "So it fits about as closely as it should."


def test_best_that_fits_closest_of_all_leaves_closer_fits_unknown() -> None:
    found = diagnosis(study([0.7, 0.8, 0.9], [0.65, 0.75, 0.85]), 0.25)
    assert found.row in CLOSE
    assert "No trial fits closer" in found.sentences[1]
    assert len(found.sentences) == 3


def test_looser_fits_that_do_as_well_are_simpler_and_enough() -> None:
    found = diagnosis(study([0.90, 0.95, 1.0], [0.85, 0.853, 0.7], noise=0.01), 0.25)
    assert found.row in RIGHT
    assert found.looser.loss < 2 * found.noise
    assert "they overfit" in found.sentences[1]
    assert "do as well on new rows within noise" in found.sentences[2]
    assert found.sentences[-1] == "So a simpler fit would do as well."


def test_a_gap_within_noise_is_none() -> None:
    table = study([0.9, 0.9, 0.9], [0.9, 0.9, 0.9], noise=0.02)
    assert "no gap beyond noise" in diagnosis(table, 0.25).sentences[0]


def test_single_folds_tell_no_noise() -> None:
    table = build_table(30, n_folds=1)
    found = diagnosis(replace(table, train_scores=np.linspace(0.5, 1.0, 30)[:, None]), 1.0)
    assert "without folds" in " ".join(found.sentences)


def test_without_training_scores_there_is_a_sentence() -> None:
    assert "No trial has a value" in (why_no_diagnosis(build_table(0)) or "")
    nothing = np.full((10, 5), np.nan)
    assert "Landscapes have no rows" in (why_no_diagnosis(build_table(10, train_scores=nothing)) or "")
