"""The picture of generations: spread of each, lines from parents to children, parents that others made."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import optuna

from hpo_core.methods import propose
from hpo_core.methods.genetic import GeneticAlgorithm
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.space import Float, SearchSpace
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

GENERATIONS = PLOTS["generations"]
SPACE = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5),))


def _table(rows: list[dict[str, Any]], values: list[float], **columns: Any) -> TrialTable:
    texts = np.array([json.dumps(row) if row else "" for row in rows], dtype=object)
    table = build_table(len(rows), direction="minimize", arms=("genetic",), values=np.array(values), thoughts=texts)
    return replace(table, **columns)


def _row(generation: int, index: int, *parents: str) -> dict[str, Any]:
    return {"generation": generation, "id": f"g{generation}.{index}", "parents": list(parents), "operator": "mutation"}


FAMILY = [_row(0, 0), _row(0, 1), _row(1, 0, "g0.0", "g0.1"), _row(1, 1, "g0.1"), _row(2, 0, "g1.1")]


def test_spread_of_each_generation() -> None:
    data = GENERATIONS.compute(_table(FAMILY, [4.0, 2.0, 3.0, 1.0, 0.5]))
    assert data.generations.tolist() == [0, 1, 2]
    assert data.best.tolist() == [2.0, 1.0, 0.5]
    assert data.median.tolist() == [3.0, 2.0, 0.5]
    assert data.quartiles[:, 0].tolist() == [2.5, 3.5]


def test_lines_lead_from_parents_to_children_of_the_newest_generations() -> None:
    table = _table(FAMILY, [4.0, 2.0, 3.0, 1.0, 0.5])
    assert GENERATIONS.compute(table).links.tolist() == [[0, 2], [1, 2], [1, 3], [3, 4]]
    assert with_options(GENERATIONS, {"ancestry": 1}).compute(table).links.tolist() == [[3, 4]]
    assert not len(with_options(GENERATIONS, {"ancestry": 0}).compute(table).links)


def test_hover_says_what_made_a_trial_and_of_whom() -> None:
    figure = GENERATIONS.draw(GENERATIONS.compute(_table(FAMILY, [4.0, 2.0, 3.0, 1.0, 0.5])), LIVE)
    marks = next(t for t in figure["data"] if t["name"] == "Genetic algorithm")
    assert "mutation of g0.0, g0.1" in marks["customdata"][2][1]


def test_newest_arm_with_generations_is_shown() -> None:
    arms = np.array(["nsga2", "nsga2", "genetic", "genetic", "genetic"])
    data = GENERATIONS.compute(_table(FAMILY, [4.0, 2.0, 3.0, 1.0, 0.5], arms=arms))
    assert data.rows.tolist() == [2, 3, 4]
    assert "newest of 2 arms" in GENERATIONS.caption(data)


def test_parents_that_a_person_made_are_found_by_their_configuration() -> None:
    study = optuna.create_study(sampler=GeneticAlgorithm(population=6).sampler(SPACE, 0))
    study.add_trial(optuna.create_trial(params={"x": 0.25}, distributions=SPACE.distributions(), value=-1.0))
    for _ in range(23):
        trial, configuration = propose(study, SPACE)
        study.tell(trial, configuration["x"])
    thoughts = [trial.user_attrs.get("thought") for trial in study.trials]
    columns = {"params": {"x": np.array([t.params["x"] for t in study.trials])}, "distributions": SPACE.distributions()}
    arms = np.array(["manual"] + ["genetic"] * 23)
    table = _table(thoughts, [t.value for t in study.trials], arms=arms, **columns)  # type: ignore[arg-type, misc]
    data = with_options(GENERATIONS, {"ancestry": 50}).compute(table)
    assert data.strangers == {0: 0}
    assert (data.links[:, 0] == 0).any()
    figure = GENERATIONS.draw(data, LIVE)
    assert next(t for t in figure["data"] if t["name"] == "parents from elsewhere")["customdata"][0][0] == 0


def test_says_which_methods_have_generations() -> None:
    assert "nsga2" in (GENERATIONS.why_unavailable(build_table(20)) or "")
