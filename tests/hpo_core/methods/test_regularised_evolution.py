"""Regularised evolution: its queue by hand-made histories, its mutation, and that it finds something."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods.regularised_evolution import mutated, name_of
from hpo_core.options import with_options
from hpo_core.problem import make_problem
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

SPACE = SearchSpace(
    (
        Categorical(name="op", choices=("a", "b", "c"), default="a"),
        Int(name="n", low=1, high=9, default=3),
        Float(name="x", low=0.0, high=1.0, default=0.5, when=Condition("op", ("b",))),
    )
)


def _study(values, space=SPACE, direction="minimize", **options):
    """A study whose history is made by hand: configurations with their values, None for failed trials."""
    method = with_options(METHODS["regularised_evolution"], options)
    study = optuna.create_study(direction=direction, sampler=method.sampler(space, 0))
    for configuration, value in values:
        study.add_trial(
            optuna.create_trial(
                params=configuration,
                distributions={name: space[name].distribution() for name in configuration},
                value=value,
                state=TrialState.FAIL if value is None else TrialState.COMPLETE,
            )
        )
    return study


def _parents(study, space=SPACE, n=1):
    for _ in range(n):
        study.tell(propose(study, space)[0], 7.0)
    return [thought_of(trial)["parents"] for trial in study.trials[-n:]]


def test_the_best_of_the_living_is_the_parent_when_all_are_drawn():
    history = [({"op": "a", "n": n}, float(n != 4)) for n in range(1, 7)]
    study = _study(history, population=6, tournament=6)
    assert _parents(study) == [[name_of({"op": "a", "n": 4})]]
    assert thought_of(study.trials[-1])["generation"] == 1
    assert thought_of(study.trials[-1])["oldest"] == name_of({"op": "a", "n": 1})


def test_the_oldest_dies_however_good_it_is():
    history = [({"op": "a", "n": n}, float(n)) for n in range(1, 7)]
    study = _study(history, population=3, tournament=3)  # alive: 4, 5, 6; the best ever, 1, is dead
    assert _parents(study) == [[name_of({"op": "a", "n": 4})]]
    # Its child, told 7.0, has pushed 4 out: of 5, 6 and the child the first is best.
    assert _parents(study) == [[name_of({"op": "a", "n": 5})]]


def test_failed_trials_take_no_place_in_the_queue():
    history = [({"op": "a", "n": 1}, 1.0), ({"op": "a", "n": 2}, 2.0), *[({"op": "a", "n": n}, None) for n in (3, 4)]]
    study = _study(history, population=2, tournament=2)
    assert _parents(study) == [[name_of({"op": "a", "n": 1})]]


def test_maximising_breeds_from_the_highest():
    history = [({"op": "a", "n": n}, float(n)) for n in range(1, 5)]
    assert _parents(_study(history, direction="maximize", population=4, tournament=4)) == [
        [name_of({"op": "a", "n": 4})]
    ]


def test_first_population_is_drawn_at_random_and_then_bred_from():
    study = _study([], population=5, tournament=2)
    _parents(study, n=9)
    assert [thought_of(t)["stage"] for t in study.trials] == ["first population"] * 5 + ["evolution"] * 4
    names = [thought_of(t)["id"] for t in study.trials]
    for i, trial in enumerate(study.trials[5:], start=5):
        (parent,) = thought_of(trial)["parents"]
        assert parent in names[i - 5 : i]


def test_generation_counts_on_from_the_parent_after_a_restart_with_other_numbers():
    study = _study([], population=3, tournament=3)
    _parents(study, n=8)
    again = _study([({"op": "c", "n": 9}, 99.0)], population=3, tournament=3)
    again.add_trials(study.trials)
    _parents(again)
    newest = again.trials[-1]
    (parent,) = [t for t in study.trials if thought_of(t)["id"] == thought_of(newest)["parents"][0]]
    assert thought_of(newest)["generation"] == thought_of(parent)["generation"] + 1


def test_mutation_changes_one_parameter_and_what_hangs_on_it():
    rng = np.random.default_rng(0)
    parent = {"op": "a", "n": 3}
    seen = set()
    for _ in range(100):
        child, what = mutated(SPACE, parent, 0.3, rng)
        assert SPACE.check(child) == child
        changed = {name for name in parent if child[name] != parent[name]}
        assert len(changed) == (1 if what else 0)
        assert ("x" in child) == (child["op"] == "b")
        seen |= changed
    assert seen == {"op", "n"}


def test_space_without_a_free_parameter_has_no_mutation():
    space = SearchSpace((Categorical(name="op", choices=("a",), default="a"),))
    assert mutated(space, {"op": "a"}, 0.3, np.random.default_rng(0)) == ({"op": "a"}, "")


@pytest.mark.parametrize("seed", range(3))
def test_beats_the_random_members_that_it_began_with(seed):
    problem = make_problem("hartmann6")
    study = optuna.create_study(sampler=METHODS["regularised_evolution"].sampler(problem.space, seed))
    for _ in range(120):
        trial, configuration = propose(study, problem.space)
        study.tell(trial, problem.fit(configuration, 0).score)
    values = [trial.value for trial in study.trials]
    assert min(values[20:]) < min(values[:20])
