"""The luck curve on the screen: what it is drawn from, and what it says of each arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.plots import JUDGE, LIVE, PLOTS
from tests.trial_tables import build_table

LUCK = PLOTS["luck"]


def two_arms(n: int = 60, *, lead: float = 0.0, direction: str = "maximize"):
    """Half of the trials random, half of TPE, equally good but for the lead."""
    arms = np.where(np.arange(n) % 2 == 0, "random", "tpe")
    values = np.random.default_rng(0).normal(0.9, 0.01, size=n)
    sign = 1.0 if direction == "maximize" else -1.0
    return build_table(n, arms=("tpe",), values=values + sign * lead * (arms == "tpe"), direction=direction), arms


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_lead_is_told_from_luck(direction):
    verdicts = []
    for lead in (0.0, 0.1):
        table, arms = two_arms(lead=lead, direction=direction)
        (found,) = LUCK.compute(replace(table, arms=arms)).findings
        assert found.startswith("TPE, best of 30")
        verdicts.append(found.rsplit(": ", 1)[1])
    assert verdicts == ["within what luck finds.", "beyond luck."]


def test_arms_stand_at_their_own_counts():
    table, arms = two_arms(20)
    table = replace(table, arms=arms)
    data = LUCK.compute(table)
    numbers = LUCK.numbers(data)
    own = np.maximum.accumulate(table.values[arms == "tpe"])
    np.testing.assert_allclose(numbers["best so far: TPE"], own[numbers["trials"] - 1])
    steps = {t["name"]: t for t in LUCK.draw(data, LIVE)["data"] if "name" in t}
    assert {"expected of luck", "best of TPE", "best of Random"} == set(steps)


def test_sentence_says_what_is_missing():
    assert "No finished trial was drawn at random" in str(LUCK.why_unavailable(build_table(20, arms=("tpe",))))
    assert "Only 3 trials drawn at random" in str(LUCK.why_unavailable(build_table(3, arms=("random",))))
    assert LUCK.why_unavailable(build_table(5, arms=("sobol",))) is None
    assert LUCK.group is JUDGE


def test_caption_says_what_it_was_drawn_from():
    few = LUCK.caption(LUCK.compute(build_table(8, arms=("sobol",))))
    assert few.startswith("Drawn from 8 random trials (Sobol) of 8 trials.")
    assert "a little strict" in few
    assert "fewer than 20 draws" in few
