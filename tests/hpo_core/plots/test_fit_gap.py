"""Training against validation scores, as drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import build_table

FIT_GAP = PLOTS["fit_gap"]


def test_marks_lie_at_their_training_and_validation_scores() -> None:
    table = build_table(40)
    figure = FIT_GAP.draw(FIT_GAP.compute(table), LIVE)
    drawn = [trace for trace in figure["data"] if trace.get("customdata")]
    points = {row[0]: (x, y) for t in drawn for row, x, y in zip(t["customdata"], t["x"], t["y"], strict=True)}
    assert len(points) == 40
    assert points[7] == pytest.approx((table.train_scores[7].mean(), table.values[7]))


def test_the_gap_in_the_numbers_is_what_new_rows_lose() -> None:
    for direction, sign in (("maximize", 1.0), ("minimize", -1.0)):
        table = build_table(10, direction=direction)
        frame = FIT_GAP.numbers(FIT_GAP.compute(table))
        np.testing.assert_allclose(frame["gap"], sign * 0.01)


def test_trials_without_training_scores_are_counted() -> None:
    table = build_table(10)
    train = table.train_scores.copy()
    train[:4] = np.nan
    caption = FIT_GAP.caption(FIT_GAP.compute(replace(table, train_scores=train)))
    assert caption.endswith("Showing 6 of 10 finished trials; 4 have no score on training rows.")
