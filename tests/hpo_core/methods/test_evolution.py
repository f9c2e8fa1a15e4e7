"""The evolutionary methods: their formulas on populations made by hand, their generations, and what they find."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from scipy.stats import wilcoxon

from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.methods import METHODS, SearchMethod, propose, thought_of
from hpo_core.methods._population import Individual, Lineage, immigrant_name, reflected
from hpo_core.methods.differential_evolution import DifferentialEvolution, crossed_binomially, mutant_vector
from hpo_core.methods.genetic import GeneticAlgorithm, crossed
from hpo_core.methods.nsga2 import polynomial, simulated_binary, survivors_of
from hpo_core.methods.particle_swarm import next_velocity
from hpo_core.options import with_options
from hpo_core.problem import make_problem
from hpo_core.search import search
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

KEYS = ["genetic", "differential_evolution", "particle_swarm", "nsga2"]
every_key = pytest.mark.parametrize("key", KEYS)
PLANE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))
MIXED = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Float(name="c", low=1e-3, high=1e3, default=1.0, log=True),
        Int(name="degree", low=2, high=9, default=3, when=Condition("kernel", ("poly",))),
        Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
    )
)


def _bowl(configuration: dict[str, Any]) -> float:
    return float((configuration["x"] - 0.3) ** 2 + (configuration["y"] - 0.7) ** 2)


def _mixed_height(configuration: dict[str, Any]) -> float:
    offset = {"linear": 2.0, "rbf": 1.0, "poly": 0.0}[configuration["kernel"]]
    return offset + abs(np.log(configuration["c"])) / 7 + abs(configuration.get("degree", 2) - 7) / 10


def _study(method: SearchMethod, space: SearchSpace = PLANE, seed: int = 0) -> optuna.Study:
    return optuna.create_study(sampler=method.sampler(space, seed))


def _run(study: optuna.Study, n: int, height: Callable[[dict[str, Any]], float] = _bowl, space: Any = PLANE) -> None:
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, height(configuration))


def _thoughts(study: optuna.Study) -> list[dict[str, Any]]:
    return [dict(thought_of(trial)) for trial in study.get_trials(deepcopy=False)]


def _individual(number: int, *values: float) -> Individual:
    return Individual(number, f"g0.{number}", 0, -1, np.zeros(2), np.array(values))


# What it finds


def _bests(method: SearchMethod, landscape: Landscape, n_seeds: int, n: int = 200) -> np.ndarray:
    studies = [_study(method, landscape.space, seed) for seed in range(n_seeds)]
    for study in studies:
        _run(study, n, landscape.function, landscape.space)
    return np.array([study.best_value for study in studies])


@pytest.fixture(scope="module")
def at_random() -> dict[str, np.ndarray]:
    return {name: _bests(METHODS["random"], LANDSCAPES[name], 8) for name in ("hartmann6", "ackley")}


@pytest.mark.parametrize("landscape", ["hartmann6", "ackley"])
@every_key
def test_beats_random_search_at_200_trials(key: str, landscape: str, at_random: dict[str, np.ndarray]) -> None:
    found = _bests(METHODS[key], LANDSCAPES[landscape], 8)
    assert wilcoxon(found, at_random[landscape], alternative="less").pvalue < 0.02


@every_key
def test_finds_the_right_category_and_its_conditional_parameter(key: str) -> None:
    study = _study(METHODS[key], MIXED)
    _run(study, 250, _mixed_height, MIXED)
    assert study.best_params["kernel"] == "poly"
    assert study.best_params["degree"] == 7


# What it records, and how it goes on


@every_key
def test_same_generations_after_a_resume_in_a_fresh_study(key: str) -> None:
    whole = _study(METHODS[key], MIXED, seed=5)
    _run(whole, 60, _mixed_height, MIXED)
    for n_before in (1, 7, 23, 41):
        resumed = _study(METHODS[key], MIXED, seed=5)
        for trial in whole.trials[:n_before]:
            trial.user_attrs = json.loads(json.dumps(trial.user_attrs))
            resumed.add_trial(trial)
        _run(resumed, 60 - n_before, _mixed_height, MIXED)
        assert _thoughts(resumed) == _thoughts(whole)
        assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]


@every_key
def test_resumed_search_through_the_database_is_the_undisturbed_one(key: str, tmp_path: Path) -> None:
    problem = make_problem("branin")
    arguments: dict[str, Any] = {"method": key, "folder": tmp_path, "workers": 1}
    whole = search(problem, trials=40, study="whole", **arguments).read()
    for n in (17, 23):
        resumed = search(problem, trials=n, study="resumed", **arguments).read()
    assert [resumed.thought(row) for row in range(40)] == [whole.thought(row) for row in range(40)]
    np.testing.assert_array_equal(resumed.values, whole.values)


@every_key
def test_parents_are_known_by_name_and_of_earlier_generations(key: str) -> None:
    study = _study(METHODS[key])
    study.add_trial(optuna.create_trial(params={"x": 0.31, "y": 0.69}, distributions=PLANE.distributions(), value=0.0))
    _run(study, 90)
    stranger = immigrant_name({"x": 0.31, "y": 0.69})
    generations = {t["id"]: t["generation"] for t in _thoughts(study)[1:]} | {stranger: -1}
    assert len(generations) == 91
    children = [t for t in _thoughts(study) if t.get("parents")]
    assert len(children) > 60
    for child in children:
        # A particle may be pulled by a place that one of its own generation has just found.
        limit = child["generation"] + (key == "particle_swarm")
        assert all(generations[parent] < limit for parent in child["parents"])
    assert any(stranger in child["parents"] for child in children)
    assert all(t["operator"] and t["why"].endswith(".") for t in _thoughts(study)[1:])


@every_key
def test_trials_of_another_method_are_not_taken_for_own_generations(key: str) -> None:
    other = "genetic" if key != "genetic" else "nsga2"
    first = _study(METHODS[other])
    _run(first, 30)
    study = _study(METHODS[key])
    study.add_trials(first.trials)
    _run(study, 1)
    assert _thoughts(study)[-1]["id"] == "g0.0"


@every_key
def test_queued_configuration_is_nobodys_child(key: str) -> None:
    study = _study(METHODS[key])
    _run(study, 5)
    study.enqueue_trial({"x": 0.3, "y": 0.7})
    _run(study, 40)
    ids = [t["id"] for t in _thoughts(study) if t]
    assert len(ids) == len(set(ids)) == 44


@every_key
def test_generations_advance_with_trials_in_flight_and_failures(key: str) -> None:
    study = _study(METHODS[key])
    flight: list[Any] = []
    rng = np.random.default_rng(0)
    for i in range(160):
        flight.append(propose(study, PLANE))
        if len(flight) == 4:
            trial, configuration = flight.pop(int(rng.integers(4)))
            if i % 9 == 0:
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, _bowl(configuration))
    assert max(t["generation"] for t in _thoughts(study)) >= 6
    assert study.best_value < 0.01


def test_carried_over_trial_whose_ranges_have_changed_is_an_immigrant() -> None:
    parent = _study(METHODS["genetic"])
    _run(parent, 30)
    narrow = PLANE.with_parameter(Float(name="x", low=0.1, high=0.9, default=0.5))
    child = _study(METHODS["genetic"], narrow)
    for trial in parent.trials:
        if 0.1 <= trial.params["x"] <= 0.9:
            trial.distributions = narrow.distributions()
            child.add_trial(trial)
    lineage = Lineage("genetic", narrow)
    lineage.read(child, child.ask())
    assert not any(i.name.startswith("g") for members in lineage.generations.values() for i in members)


@every_key
def test_suggestion_at_two_thousand_trials_survives_a_fresh_start(key: str) -> None:
    study = _study(METHODS[key])
    _run(study, 300)
    many = _study(METHODS[key])
    for i, trial in enumerate(study.trials * 7):
        thought = dict(trial.user_attrs["thought"])
        thought["generation"] += i // 300 * (max(t["generation"] for t in _thoughts(study)) + 1)
        trial.user_attrs = {"thought": thought}
        many.add_trial(trial)
    newest = max(t["generation"] for t in _thoughts(many))
    _run(many, 3)
    assert _thoughts(many)[-1]["generation"] >= newest


# Genetic algorithm


def test_elite_and_children_make_the_next_population() -> None:
    method = GeneticAlgorithm(population=6, elite=2)
    study = _study(method)
    _run(study, 60)
    sampler: Any = study.sampler
    sampler.lineage.read(study, study.ask())
    for generation in (1, 4, 9):
        members = sampler.population(generation)
        before = sorted(i.value for i in sampler.lineage.before(generation))
        assert [m.value for m in members[:2]] == before[:2]
        assert len(members) == 6
        assert {m.generation for m in members[2:]} == {generation}


def test_tournament_of_the_whole_population_is_won_by_the_best() -> None:
    study = _study(GeneticAlgorithm(population=5, tournament=50, elite=1))
    _run(study, 25)
    values = {t.user_attrs["thought"]["id"]: t.value for t in study.trials}
    for trial in study.trials[6:]:
        thought = trial.user_attrs["thought"]
        if thought["generation"] >= 1:
            best = min((v, k) for k, v in values.items() if int(k[1:].split(".")[0]) < thought["generation"])[1]
            assert thought["parents"] == [best]


def test_crossovers_take_from_their_parents() -> None:
    first, second = np.zeros(8), np.ones(8)
    is_category = np.arange(8) % 2 == 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        cut = crossed("one_point", first, second, is_category, rng)
        assert (np.diff(cut) >= 0).all()
        assert 0 < cut.sum() < 8
        assert set(crossed("uniform", first, second, is_category, rng)) <= {0.0, 1.0}
        blend = crossed("blend", first * 0.4, second * 0.6, is_category, rng)
        assert ((blend >= -1e-12) & (blend <= 0.9 + 1e-12)).all()
        assert set(blend[is_category]) <= {0.0, 0.6}


def test_blend_reaches_half_the_distance_beyond_both_parents() -> None:
    rng = np.random.default_rng(0)
    first, second = np.full(5000, 0.4), np.full(5000, 0.6)
    children = crossed("blend", first, second, np.zeros(5000, dtype=bool), rng)
    assert children.min() == pytest.approx(0.3, abs=1e-3)
    assert children.max() == pytest.approx(0.7, abs=1e-3)


def test_reflection_keeps_positions_in_the_cube() -> None:
    np.testing.assert_allclose(reflected(np.array([-0.2, 0.4, 1.3, 2.1])), [0.2, 0.4, 0.7, 0.1], atol=1e-12)


# Differential evolution


def test_mutant_is_base_plus_scaled_difference() -> None:
    mutant = mutant_vector(np.array([0.2, 0.5]), np.array([0.9, 0.1]), np.array([0.4, 0.3]), 0.8)
    np.testing.assert_allclose(mutant, [0.2 + 0.8 * 0.5, 0.5 - 0.8 * 0.2])


def test_binomial_crossover_takes_at_least_one_coordinate_of_the_mutant() -> None:
    target, mutant = np.zeros(6), np.ones(6)
    children = [crossed_binomially(target, mutant, 0.0, np.random.default_rng(seed)) for seed in range(60)]
    assert {child.sum() for child in children} == {1.0}
    assert len({int(child.argmax()) for child in children}) == 6
    assert crossed_binomially(target, mutant, 1.0, np.random.default_rng(0)).tolist() == mutant.tolist()


@pytest.mark.parametrize("strategy", ["rand/1/bin", "best/1/bin"])
def test_trial_vectors_follow_the_formula(strategy: str) -> None:
    method = DifferentialEvolution(population=5, strategy=strategy, scale=0.5, crossover=1.0)
    study = _study(method)
    _run(study, 60)
    genomes = {t["id"]: np.array(t["genome"]) for t in _thoughts(study)}
    values = {t.user_attrs["thought"]["id"]: t.value for t in study.trials}
    checked = 0
    for trial in study.trials[5:]:
        thought = trial.user_attrs["thought"]
        if thought["operator"] != strategy:
            continue
        rival, base, first, second = thought["parents"]
        expected = reflected(genomes[base] + 0.5 * (genomes[first] - genomes[second]))
        np.testing.assert_allclose(thought["genome"], expected, atol=2e-7)
        members = _members(study, thought["generation"])
        assert rival == members[thought["slot"]]
        assert {base, first, second} <= set(members.values())
        assert len({rival, first, second}) == 3
        if strategy == "best/1/bin":
            assert values[base] == min(values[m] for m in members.values())
        else:
            assert len({rival, base, first, second}) == 4
        checked += 1
    assert checked > 40


def _members(study: optuna.Study, generation: int) -> dict[int, str]:
    """The population of synchronous differential evolution, as the paper has it."""
    members: dict[int, tuple[float, str]] = {}
    for trial in study.trials:
        thought = trial.user_attrs.get("thought", {})
        if thought and thought["generation"] < generation and trial.value is not None:
            rival = members.get(thought["slot"])
            if rival is None or trial.value <= rival[0]:
                members[thought["slot"]] = (trial.value, thought["id"])
    return {slot: name for slot, (_, name) in members.items()}


def test_better_trial_of_somebody_else_joins_the_population() -> None:
    study = _study(DifferentialEvolution(population=6))
    _run(study, 12, lambda c: 1.0 + c["x"])
    study.add_trial(optuna.create_trial(params={"x": 0.9, "y": 0.9}, distributions=PLANE.distributions(), value=-1.0))
    _run(study, 6, lambda c: 1.0 + c["x"])
    stranger = immigrant_name({"x": 0.9, "y": 0.9})
    assert all(stranger in t["parents"] for t in _thoughts(study)[-5:])


# Particle swarm


def test_velocity_is_inertia_and_two_pulls() -> None:
    place, velocity = np.array([0.5, 0.5]), np.array([0.1, -0.2])
    own, best = np.array([0.7, 0.5]), np.array([0.5, 0.1])
    r1, r2 = (np.random.default_rng(3).random((2, 2))[i] for i in range(2))
    found = next_velocity(place, velocity, own, best, (0.7, 1.5, 2.0), np.random.default_rng(3))
    np.testing.assert_allclose(found, [0.07 + 1.5 * r1[0] * 0.2, -0.14 - 2.0 * r2[1] * 0.4])


def test_particles_fly_from_where_they_were() -> None:
    study = _study(with_options(METHODS["particle_swarm"], {"particles": 4, "fastest": 0.2}))
    _run(study, 40)
    genomes = {t["id"]: np.array(t["genome"]) for t in _thoughts(study)}
    for thought in _thoughts(study)[4:]:
        if thought["operator"] == "flight":
            before, after = genomes[thought["parents"][0]], np.array(thought["genome"])
            assert np.abs(after - before).max() <= 0.2 + 1e-6
            inside = (after > 0) & (after < 1)
            np.testing.assert_allclose((after - before)[inside], np.array(thought["velocity"])[inside], atol=2e-7)


# NSGA-II


def test_survivors_are_the_best_fronts_and_then_the_least_crowded() -> None:
    pool = [
        _individual(0, 0.0, 10.0),
        _individual(1, 2.0, 6.0),
        _individual(2, 4.0, 5.0),
        _individual(3, 10.0, 0.0),
        _individual(4, 5.0, 7.0),
    ]
    assert [r.individual.number for r in survivors_of(pool, 3)] == [0, 3, 2]
    assert [(r.individual.number, r.front) for r in survivors_of(pool, 5)][-1] == (4, 1)


def test_simulated_binary_crossover_keeps_the_middle_and_nears_the_parents_with_its_index() -> None:
    first, second = np.full(20_000, 0.4), np.full(20_000, 0.6)
    wide, narrow = (simulated_binary(first, second, index, np.random.default_rng(0)) for index in (2.0, 30.0))
    assert wide.mean() == pytest.approx(0.5, abs=2e-3)
    near = [np.minimum(np.abs(c - 0.4), np.abs(c - 0.6)).mean() for c in (wide, narrow)]
    assert near[1] < near[0] / 4


def test_polynomial_mutation_stays_inside_and_shrinks_with_its_index() -> None:
    rng = np.random.default_rng(0)
    genome = np.repeat([0.0, 0.5, 1.0], 3000)
    for index, widest in ((0.0, 0.6), (20.0, 0.1)):
        moved = polynomial(genome, index, rng)
        assert ((moved >= 0) & (moved <= 1)).all()
        assert np.abs(moved - genome)[genome == 0.5].mean() < widest / 2


def test_two_objectives_spread_along_the_front() -> None:
    """Schaffer's problem: x in [0, 2] of [-10, 10] is the front of x^2 and (x - 2)^2; with y, whose best is 0."""
    space = SearchSpace(tuple(Float(name=name, low=-10.0, high=10.0, default=0.0) for name in "xy"))
    counts = []
    for key in ("nsga2", "random"):
        sampler = METHODS[key].sampler(space, 0)
        study = optuna.create_study(sampler=sampler, directions=["minimize", "maximize"])
        for _ in range(240):
            trial, c = propose(study, space)
            study.tell(trial, [c["x"] ** 2 + abs(c["y"]), -((c["x"] - 2) ** 2) - abs(c["y"])])
        near = [t.params["x"] for t in study.trials if abs(t.params["y"]) < 0.5 and -0.3 < t.params["x"] < 2.3]
        counts.append(len(near))
        if key == "nsga2":
            assert len(set(np.floor(np.array(near) / 0.5))) >= 4
    assert counts[0] > 8 * max(counts[1], 1)
