"""Methods of several stages: what each stage does, why the next one starts, and what a search that goes on keeps to."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, SearchMethod, propose, thought_of
from hpo_core.options import options_of, with_options
from hpo_core.space import Categorical, Condition, Float, Int, Range, SearchSpace

PLANE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))
MIXED = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="linear"),
        Float(name="c", low=1e-3, high=1e3, default=1.0, log=True),
        Float(name="gamma", low=0.0, high=1.0, default=0.1, when=Condition("kernel", ("rbf", "poly"))),
        Int(name="k", low=1, high=30, default=5),
    )
)
STAGED = ("coarse_to_fine", "random_then_grid", "grid_and_random", "then_local", "latin_hypercube")
every_staged_method = pytest.mark.parametrize("key", STAGED)

Height = Callable[[dict[str, Any]], float]


def bowl(c: dict[str, Any]) -> float:
    return float((c["x"] - 0.413) ** 2 + (c["y"] - 0.687) ** 2)


def mixed_bowl(c: dict[str, Any]) -> float:
    return (
        {"linear": 1.0, "rbf": 0.0, "poly": 0.5}[c["kernel"]]
        + (np.log10(c["c"]) - 1.234) ** 2
        + (c.get("gamma", 0.0) - 0.3) ** 2
        + abs(c["k"] - 17) / 30
    )


def study_of(method: SearchMethod, space: SearchSpace = PLANE, direction: str = "minimize") -> optuna.Study:
    return optuna.create_study(sampler=method.sampler(space, 0), direction=direction)


def run(study: optuna.Study, n: int, space: SearchSpace = PLANE, height: Height = bowl) -> list[dict[str, Any]]:
    found = []
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, height(configuration))
        found.append(configuration)
    return found


def stages(study: optuna.Study) -> list[str]:
    return [str(thought_of(trial).get("stage")) for trial in study.trials]


def reasons(study: optuna.Study) -> list[str]:
    """The sentences of the stages, each once, in order."""
    return list(dict.fromkeys(thought_of(trial)["why"] for trial in study.trials))


@every_staged_method
@pytest.mark.parametrize("n_before", [1, 9, 26, 47])
def test_stages_are_the_same_after_an_interruption(key: str, n_before: int) -> None:
    method = METHODS[key]
    whole = study_of(method)
    expected = run(whole, 70)
    first = study_of(method)
    run(first, n_before)
    second = study_of(method)
    second.add_trials(first.trials)
    after = run(second, 70 - n_before)
    assert stages(second) == stages(whole)
    assert reasons(second) == reasons(whole)
    if key != "then_local":  # the first method of this, TPE, reads times and orders of its own
        assert after == expected[n_before:]


@every_staged_method
def test_every_stage_says_why_it_begins(key: str) -> None:
    study = study_of(METHODS[key])
    run(study, 60)
    assert len(set(stages(study))) > 1
    for why in reasons(study):
        assert why[0].isupper()
        assert why.endswith(".")


@every_staged_method
def test_values_are_told_as_they_are_when_they_are_maximised(key: str) -> None:
    study = study_of(METHODS[key], direction="maximize")
    run(study, 60, height=lambda c: 0.9 - bowl(c))
    assert not any("-0." in why for why in reasons(study))


@pytest.mark.parametrize("key", ["coarse_to_fine", "random_then_grid", "then_local"])
def test_stages_of_another_space_are_not_gone_on_with(key: str) -> None:
    first = study_of(METHODS[key])
    run(first, 45)
    narrow = PLANE.narrowed({"x": Range(0.8, 0.9)})
    second = study_of(METHODS[key], narrow)
    second.add_trials(first.trials)
    for configuration in run(second, 10, narrow):
        assert narrow.check(configuration) == configuration


@every_staged_method
def test_goes_on_where_nothing_ever_has_a_value(key: str) -> None:
    study = study_of(METHODS[key])
    for _ in range(80):
        study.tell(propose(study, PLANE)[0], state=TrialState.FAIL)
    tried = [tuple(trial.params.values()) for trial in study.trials]
    assert len(set(tried)) == 80


@pytest.mark.parametrize("key", ["coarse_to_fine", "random_then_grid", "grid_and_random", "then_local"])
def test_tries_all_of_a_small_space_before_it_repeats_any(key: str) -> None:
    small = SearchSpace((Int(name="x", low=0, high=4, default=1), Categorical(name="y", choices=(0, 1), default=0)))
    method = with_options(METHODS[key], {"first": "random"}) if key == "then_local" else METHODS[key]
    study = study_of(method, small)
    n_first = 3 if key == "then_local" else 0
    tried = [tuple(c.values()) for c in run(study, 30 + n_first, small)]
    assert set(tried) == set(itertools.product(range(5), (0, 1)))


# Coarse to fine


def test_grid_gets_finer_around_the_optimum() -> None:
    study = study_of(METHODS["coarse_to_fine"])
    found = run(study, 120)
    assert stages(study)[:25] == ["coarse grid"] * 25
    assert {c["x"] for c in found[:25]} == {0.0, 0.25, 0.5, 0.75, 1.0}
    best = min(found, key=bowl)
    assert (best["x"], best["y"]) == pytest.approx((0.413, 0.687), abs=0.25 / 2**4)
    for level in (1, 2, 3):
        mine = [c for c, stage in zip(found, stages(study), strict=True) if stage == f"finer grid {level}"]
        spacing = np.diff(np.unique([c["x"] for c in mine])).min()
        assert spacing == pytest.approx(0.25 / 2**level)


def test_finer_grid_tries_none_of_the_coarse_one_again() -> None:
    study = study_of(METHODS["coarse_to_fine"])
    found = run(study, 150)
    assert len({tuple(np.round(list(c.values()), 9)) for c in found}) == 150


def test_box_stays_as_wide_while_the_best_lies_on_its_edge() -> None:
    def off_the_box(c: dict[str, Any]) -> float:
        """Best at 0.37, further from the coarse 0.25 than the first box reaches."""
        return float((c["x"] - 0.37) ** 2 + (c["y"] - 0.5) ** 2)

    study = study_of(with_options(METHODS["coarse_to_fine"], {"shrink": 0.2}))
    run(study, 80, height=off_the_box)
    boxes = [
        (thought["plan"]["centre"]["x"], thought["plan"]["width"])
        for thought in map(thought_of, study.trials)
        if thought["stage"] == "finer grid 1"
    ]
    assert list(dict.fromkeys(boxes)) == [(0.25, 0.2), (pytest.approx(0.35), 0.2)]


def test_grid_moves_to_a_better_trial_of_somebody_else() -> None:
    study = study_of(METHODS["coarse_to_fine"])
    run(study, 30, height=lambda c: 1.0 + bowl(c))
    person = optuna.create_trial(params={"x": 0.95, "y": 0.05}, distributions=PLANE.distributions(), value=0.0)
    study.add_trial(person)
    (next_one,) = run(study, 1, height=lambda c: 1.0 + bowl(c))
    assert "came in from outside" in thought_of(study.trials[-1])["why"]
    assert next_one["x"] >= 0.7
    assert next_one["y"] <= 0.3


def test_large_grid_is_tried_by_an_even_choice() -> None:
    space = SearchSpace(tuple(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(8)))
    study = study_of(METHODS["coarse_to_fine"], space)
    run(study, 60, space, lambda c: sum((x - 0.4) ** 2 for x in c.values()))
    assert stages(study)[:51] == ["coarse grid"] * 25 + ["finer grid 1"] * 25 + [stages(study)[50]]
    assert "an even choice of 25 of 390,625 combinations" in reasons(study)[0]


def test_category_of_the_best_is_kept_in_finer_grids() -> None:
    study = study_of(with_options(METHODS["coarse_to_fine"], {"most": 200}), MIXED)
    found = run(study, 350, MIXED, mixed_bowl)
    kernels = {c["kernel"] for c, stage in zip(found, stages(study), strict=True) if stage.startswith("finer")}
    assert kernels == {"rbf"}
    assert min(map(mixed_bowl, found)) < 0.05


# Random, then a local grid


def test_local_grid_lies_around_the_best_draw_and_gets_finer_while_it_stays() -> None:
    study = study_of(METHODS["random_then_grid"])
    found = run(study, 20 + 8)
    assert stages(study) == ["random"] * 20 + ["local grid"] * 8
    best = min(found[:20], key=bowl)
    grid = PLANE.to_unit(found[20:])
    assert np.abs(grid - [best["x"], best["y"]]).max() == pytest.approx(0.1, abs=1e-9)
    run(study, 120)
    widths = [thought_of(t)["plan"]["width"] for t in study.trials if thought_of(t)["stage"] == "local grid"]
    assert min(widths) < 0.2
    assert min(t.value or 0.0 for t in study.trials) < min(map(bowl, found[:20]))


# Some on the grid, the others at random


def test_every_combination_is_tried_once_with_other_draws_before_any_is_tried_again() -> None:
    method = with_options(METHODS["grid_and_random"], {"gridded": "kernel, k", "resolution": 3})
    study = study_of(method, MIXED)
    found = run(study, 18, MIXED, mixed_bowl)
    for part in (found[:9], found[9:]):
        assert {(c["kernel"], c["k"]) for c in part} == set(itertools.product(("linear", "rbf", "poly"), (1, 15, 30)))
    assert len({c["c"] for c in found}) == 18
    assert stages(study) == ["round 1"] * 9 + ["round 2"] * 9


def test_parents_of_a_gridded_parameter_are_gridded_with_it() -> None:
    method = with_options(METHODS["grid_and_random"], {"gridded": "gamma", "resolution": 2})
    found = run(study_of(method, MIXED), 5, MIXED, mixed_bowl)
    cells = {(c["kernel"], c.get("gamma")) for c in found}
    assert cells == {("linear", None), ("rbf", 0.0), ("rbf", 1.0), ("poly", 0.0), ("poly", 1.0)}


def test_automatic_pick_takes_categories_and_first_numbers_and_leaves_one() -> None:
    method = METHODS["grid_and_random"]
    assert method.gridded_space(MIXED).names == ("kernel", "c")  # type: ignore[attr-defined]
    assert method.gridded_space(PLANE).names == ("x",)  # type: ignore[attr-defined]


def test_name_that_the_space_has_not_gets_a_sentence() -> None:
    method = with_options(METHODS["grid_and_random"], {"gridded": "kernel, nothing"})
    with pytest.raises(UsageError, match=r"no parameter 'nothing' to put on the grid; there are kernel, c, gamma, k\."):
        method.sampler(MIXED, 0)
    with pytest.raises(UsageError, match="gridded: kernel is named twice"):
        with_options(method, {"gridded": "kernel, kernel"})


# Any method, then local


def test_every_first_method_is_one_of_the_lab_and_is_followed_by_steps() -> None:
    (first,) = [o for o in options_of(type(METHODS["then_local"])) if o.name == "first"]
    for key in first.choices:
        study = study_of(with_options(METHODS["then_local"], {"first": key, "n_first": 8}))
        run(study, 12)
        assert stages(study) == [METHODS[key].label] * 8 + ["steps of 0.1"] * 4


def test_steps_improve_the_best_of_the_first_method_to_the_optimum() -> None:
    method = with_options(METHODS["then_local"], {"first": "random", "n_first": 20})
    study = study_of(method, MIXED)
    found = run(study, 120, MIXED, mixed_bowl)
    best = min(found, key=mixed_bowl)
    assert best["kernel"] == "rbf"
    assert best["k"] == 17
    assert mixed_bowl(best) < 1e-3 < min(map(mixed_bowl, found[:20]))


def test_first_method_that_runs_out_is_followed_at_once() -> None:
    method = with_options(METHODS["then_local"], {"first": "grid", "n_first": 1000})
    study = study_of(method)
    run(study, 30)
    assert stages(study) == ["Grid"] * 25 + ["steps of 0.1"] * 5


def test_steps_of_several_workers_differ_and_wait_for_none() -> None:
    study = study_of(with_options(METHODS["then_local"], {"first": "random", "n_first": 5}))
    run(study, 5)
    flight = [propose(study, PLANE) for _ in range(12)]
    assert len({tuple(c.values()) for _, c in flight}) == 12
    assert stages(study)[5:] == ["steps of 0.1"] * 12


def test_first_method_that_cannot_search_the_space_says_so() -> None:
    line = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5),))
    method = with_options(METHODS["then_local"], {"first": "cma_es"})
    assert method.why_unavailable(line) == METHODS["cma_es"].why_unavailable(line)
    with pytest.raises(UsageError, match="at least two"):
        method.sampler(line, 0)
