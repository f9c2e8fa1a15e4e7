"""Interactions: known ones are found with their share, and sums without any are not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.interactions import interactions
from tests.known_functions import table_of
from tests.trial_tables import build_table


def thirds(units: np.ndarray) -> np.ndarray:
    """A third of the variance each: x0 alone, x1 alone, and both together: 2 √3 (x0 - ½)(x1 - ½) has variance 1/12."""
    return units[:, 0] + units[:, 1] + 2 * np.sqrt(3) * (units[:, 0] - 0.5) * (units[:, 1] - 0.5)


def test_shares_of_a_known_interaction() -> None:
    found = interactions(table_of(thirds, 400, 4, noise=0.02))
    assert found.pairs[0].share.names == ("x0", "x1")
    assert found.pairs[0].share.median == pytest.approx(1 / 3, abs=0.06)
    assert {share.names[0] for share in found.singles[:2]} == {"x0", "x1"}
    for share in found.singles[:2]:
        assert share.median == pytest.approx(1 / 3, abs=0.06)
    assert [pair.share.names for pair in found.pairs if found.is_clear(pair)] == [("x0", "x1")]
    assert found.rest < 0.12


def test_few_trials_do_not_hide_a_strong_interaction() -> None:
    found = interactions(table_of(thirds, 100, 6, noise=0.05))
    assert [pair.share.names for pair in found.pairs if found.is_clear(pair)] == [("x0", "x1")]


@pytest.mark.parametrize("n", [40, 200])
def test_sums_of_single_effects_are_not_taken_for_interactions(n: int) -> None:
    """Trees make steps of a slope, which looks like an interaction of about a hundredth: ten pairs in five studies."""
    false = 0
    for seed in range(5):
        table = table_of(lambda u: 4 * u[:, 0] + 2 * u[:, 1] ** 2 + u[:, 2], n, 5, noise=0.2, seed=seed)
        found = interactions(table)
        false += sum(found.is_clear(pair) for pair in found.pairs)
    assert false <= 2  # of 50


def test_noise_alone_is_admitted() -> None:
    found = interactions(table_of(lambda u: 0 * u[:, 0], 120, 4, noise=1.0))
    assert found.is_weak
    assert not any(found.is_clear(pair) for pair in found.pairs)


def test_parameter_of_one_category_acts_together_with_it() -> None:
    table = build_table(400)
    poly = table.params["kernel"] == 1
    values = np.where(poly, 0.25 * np.nan_to_num(table.params["degree"]), 0.9)
    found = interactions(build_table(400, values=values))
    assert set(found.pairs[0].share.names) == {"kernel", "degree"}
    assert found.is_clear(found.pairs[0])


def test_those_that_matter_least_alone_are_left_out() -> None:
    found = interactions(table_of(thirds, 200, 10))
    assert len(found.singles) == 8
    assert len(found.pairs) == 28
    assert len(found.left_out) == 2
    assert not {"x0", "x1"} & set(found.left_out)
