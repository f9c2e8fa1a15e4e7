"""The ellipse of CMA-ES: its outline, its generations, and what it says where little is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.plots.ellipse import Cloud
from hpo_core.space import Float, SearchSpace
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

ELLIPSE = PLOTS["ellipse"]
RANGES = {name: FloatDistribution(0.0, 10.0) for name in "abc"}


def _shape(generation: int, mean: list[float], **more: Any) -> str:
    shape = {"generation": generation, "axes": ["a", "b", "c"], "mean": mean, "sigma": 0.1}
    return json.dumps({**shape, **more})


def _table(texts: list[str]) -> TrialTable:
    return build_table(len(texts), distributions=RANGES, arms=("cma_es",), thoughts=np.array(texts, dtype=object))


TILTED = [[0.04, 0.01, 0.0], [0.01, 0.01, 0.0], [0.0, 0.0, 0.09]]
THREE = [_shape(0, [0.1] * 3), '{"generation": 0}', _shape(1, [0.5, 0.4, 0.3], covariance=TILTED), '{"generation": 1}']


def test_outline_lies_so_many_standard_deviations_from_the_centre() -> None:
    covariance = np.array(TILTED)[:2, :2]
    cloud = Cloud(0, np.array([0.5, 0.4]), covariance, is_round=False)
    for n in (1.0, 2.0):
        offsets = cloud.outline(n).T - cloud.mean
        distances = np.einsum("ki,ij,kj->k", offsets, np.linalg.inv(covariance), offsets)
        np.testing.assert_allclose(distances, n**2)


def test_two_chosen_parameters_are_cut_out_of_the_whole_covariance() -> None:
    data = with_options(ELLIPSE, {"x": "c", "y": "a"}).compute(_table(THREE))
    assert data.cloud.covariance.tolist() == [[0.09, 0.0], [0.0, 0.04]]
    assert data.cloud.mean.tolist() == [0.3, 0.5]


def test_newest_generation_is_shown_with_its_trials_and_an_earlier_one_on_request() -> None:
    newest, earlier = (with_options(ELLIPSE, {"back": back}).compute(_table(THREE)) for back in (0, 1))
    assert (newest.cloud.generation, newest.rows.tolist()) == (1, [2, 3])
    assert (earlier.cloud.generation, earlier.rows.tolist()) == (0, [0, 1])
    assert "correlation +0.50" in ELLIPSE.caption(newest)


def test_without_covariance_the_cloud_is_drawn_round_and_says_so() -> None:
    data = with_options(ELLIPSE, {"back": 1}).compute(_table(THREE))
    np.testing.assert_allclose(data.cloud.covariance, np.diag([0.01, 0.01]))
    assert "drawn round" in ELLIPSE.caption(data)


def test_click_gives_both_parameters() -> None:
    assert ELLIPSE.locate(ELLIPSE.compute(_table(THREE)), 0.25, 1.3) == {"a": 2.5, "b": 10.0}


def test_parameter_that_the_cloud_does_not_cover_is_refused() -> None:
    assert "covers a, b, c" in (with_options(ELLIPSE, {"x": "kernel"}).why_unavailable(_table(THREE)) or "")
    assert "two different" in (with_options(ELLIPSE, {"x": "a", "y": "a"}).why_unavailable(_table(THREE)) or "")


def test_recorded_cloud_is_the_one_that_its_trials_are_drawn_from() -> None:
    space = SearchSpace(tuple(Float(name=name, low=0.0, high=10.0, default=5.0) for name in "abc"))
    study = optuna.create_study(sampler=METHODS["cma_es"].sampler(space, 0))
    for _ in range(300):
        trial, c = propose(study, space)
        study.tell(trial, (c["a"] - c["b"]) ** 2 + 0.1 * (c["a"] - 3) ** 2 + c["c"] ** 2)
    thoughts = [thought_of(trial) for trial in study.trials]
    generations = [t["generation"] for t in thoughts]
    assert generations == sorted(generations)
    assert set(generations) == set(range(max(generations) + 1))
    shapes = {t["generation"]: t for t in thoughts if "mean" in t}
    assert set(shapes) == set(generations)
    points = space.to_unit([trial.params for trial in study.trials])
    scaled = [
        np.linalg.solve(
            np.linalg.cholesky(np.array(shapes[g]["covariance"]) + 1e-12 * np.eye(3)), points[i] - shapes[g]["mean"]
        )
        for i, g in enumerate(generations)
        if 3 < g < 20
    ]
    # Standard normal, apart from points that were cut at the faces of the cube.
    assert np.std(scaled) == pytest.approx(1.0, abs=0.15)


def test_generations_are_counted_on_after_a_resume() -> None:
    space = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "ab"))
    first, second = (optuna.create_study(sampler=METHODS["cma_es"].sampler(space, 0)) for _ in range(2))
    for study, n in ((first, 20), (second, 3)):
        if study is second:
            second.add_trials(first.trials)
        for _ in range(n):
            trial, c = propose(study, space)
            study.tell(trial, c["a"])
    assert thought_of(second.trials[20])["generation"] == thought_of(first.trials[-1])["generation"] + 1


def test_figure_shows_both_ellipses_and_the_way() -> None:
    names = [trace["name"] for trace in ELLIPSE.draw(ELLIPSE.compute(_table(THREE)), LIVE)["data"]]
    assert {"1 sd", "2 sd", "way of the centre", "generation 1"} <= set(names)


def test_says_which_method_it_needs() -> None:
    assert "cma_es" in (ELLIPSE.why_unavailable(build_table(20)) or "")
