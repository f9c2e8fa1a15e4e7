"""Auto: which method it hands a trial to, that it says so, and that it goes on where it stopped."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods.auto import n_branches
from hpo_core.methods.gaussian_process import GaussianProcessSearch
from hpo_core.methods.sobol import SobolSearch
from hpo_core.space import Categorical, Condition, Configuration, Float, SearchSpace

AUTO = METHODS["auto"]
FLAT = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xyz"))
WIDE = SearchSpace(tuple(Float(name=f"p{i}", low=0.0, high=1.0, default=0.5) for i in range(21)))
FAMILIES = tuple("abcdef")
BRANCHED = SearchSpace(
    (
        Categorical(name="family", choices=FAMILIES, default="a"),
        *(Float(name=f"of {f}", low=0.0, high=1.0, default=0.5, when=Condition("family", (f,))) for f in FAMILIES),
    )
)
RECIPE = [""] + ["Sobol"] * 8 + ["Gaussian process", "Gaussian process", "TPE"] * 4


def _height(configuration: Configuration) -> float:
    return sum((float(v) - 0.3) ** 2 for v in configuration.values() if isinstance(v, float))


def _searched(space: SearchSpace, n: int, history: list[optuna.trial.FrozenTrial] | None = None) -> optuna.Study:
    study = optuna.create_study(sampler=AUTO.sampler(space, 0))
    if history is None:
        study.enqueue_trial(space.default())
    study.add_trials(history or [])
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, _height(configuration))
    return study


def _stages(study: optuna.Study) -> list[str]:
    return [thought_of(trial).get("stage", "") for trial in study.trials]


def test_default_then_sobol_then_the_process_with_every_third_trial_from_tpe() -> None:
    study = _searched(FLAT, len(RECIPE))
    assert study.trials[0].params == FLAT.default()
    assert _stages(study) == RECIPE
    assert all(thought_of(trial)["why"].endswith(".") for trial in study.trials[1:])


@pytest.mark.parametrize("n_before", [5, 9, 11, 13])
def test_stages_go_on_where_they_were_after_an_interruption(n_before: int) -> None:
    whole = _searched(FLAT, len(RECIPE))
    resumed = _searched(FLAT, len(RECIPE) - n_before, whole.trials[:n_before])
    assert _stages(resumed) == RECIPE
    assert resumed.trials[n_before].params == whole.trials[n_before].params


def test_first_trials_are_those_of_the_sobol_sequence() -> None:
    ours, theirs = (optuna.create_study(sampler=method.sampler(FLAT, 4)) for method in (AUTO, SobolSearch()))
    assert [propose(ours, FLAT)[1] for _ in range(6)] == [propose(theirs, FLAT)[1] for _ in range(6)]


def test_trial_of_the_process_is_the_one_that_it_would_propose_and_keeps_its_prediction() -> None:
    history = _searched(FLAT, 9).trials
    alone = optuna.create_study(sampler=GaussianProcessSearch().sampler(FLAT, 0))
    alone.add_trials(history)
    auto = _searched(FLAT, 1, history)
    assert auto.trials[-1].params == propose(alone, FLAT)[1]
    thought = thought_of(auto.trials[-1])
    assert thought["stage"] == "Gaussian process"
    assert thought["sd"] > 0
    assert np.isfinite(thought["mean"])
    assert "predicted" in thought["why"]


@pytest.mark.parametrize(
    ("space", "reason"), [(WIDE, "21 parameters"), (BRANCHED, "6 branches")], ids=["wide", "branched"]
)
def test_large_and_much_branched_spaces_are_left_to_tpe(space: SearchSpace, reason: str) -> None:
    study = _searched(space, 4, [])
    assert set(_stages(study)) == {"TPE"}
    assert all(reason in thought_of(trial)["why"] for trial in study.trials)


def test_branches_are_sets_of_active_parameters() -> None:
    assert (n_branches(FLAT), n_branches(BRANCHED)) == (1, 6)


def test_beyond_300_trials_tpe_goes_on_alone() -> None:
    points = np.random.default_rng(0).random((301, 3))
    known = [FLAT.from_unit(point) for point in points]
    history = [optuna.create_trial(params=c, distributions=FLAT.distributions(), value=_height(c)) for c in known]
    assert _stages(_searched(FLAT, 1, history[:300]))[-1] == "Gaussian process"
    study = _searched(FLAT, 4, history)
    assert _stages(study)[301:] == ["TPE"] * 4
    assert "more than 300 trials" in thought_of(study.trials[-1])["why"]


def test_trials_of_others_spare_the_sobol_points() -> None:
    known = [FLAT.from_unit(point) for point in np.random.default_rng(0).random((8, 3))]
    others = [optuna.create_trial(params=c, distributions=FLAT.distributions(), value=_height(c)) for c in known]
    assert _stages(_searched(FLAT, 1, others))[-1] == "Gaussian process"
