"""Population-based training: who copies whom, the schedules that come out, and the toy of its paper."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods.population_based_training import PopulationBasedTraining
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule, Segment
from hpo_core.space import Float, Int, Range, SearchSpace

TOY = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in ("h0", "h1")))
PBT = PopulationBasedTraining(population=6, turns=5, quantile=0.34)


def _quality(segments, n_steps=100, start=(0.9, 0.9)):
    """The toy's true quality after ascending its surrogate with the hyperparameters of each segment in turn."""
    theta, before = np.array(start), 0.0
    for segment in segments:
        h = np.array([segment.configuration["h0"], segment.configuration["h1"]])
        for _ in range(round((segment.until - before) * n_steps)):
            theta = theta - 0.05 * 2 * h * theta
        before = segment.until
    return 1.2 - float((theta**2).sum())


def _study(method=PBT, space=TOY, seed=0, direction="maximize"):
    return optuna.create_study(sampler=method.sampler(space, seed), direction=direction)


def _step(study, space=TOY):
    trial, configuration = propose(study, space)
    schedule = Schedule.of_thought(thought_of(study.trials[-1]))
    study.tell(trial, _quality(schedule.segments(configuration)))


def _members(study):
    return [(t["round"], t["member"], t["turn"]) for t in map(thought_of, study.trials)]


def test_toy_of_the_paper_reaches_the_optimum_that_no_fixed_member_reaches():
    method = PopulationBasedTraining(population=2, turns=25, quantile=0.5)
    fixed = [{"h0": 1.0, "h1": 0.0}, {"h0": 0.0, "h1": 1.0}]
    assert max(_quality([Segment(h, 1.0)]) for h in fixed) < 0.4
    reached = []
    for seed in range(5):
        study = _study(method, seed=seed)
        for member, h in enumerate(fixed):  # the paper's two workers
            thought = {"scheme": method.scheme, "round": 0, "member": member, "turn": 0, "resource": 1 / 25}
            value = _quality([Segment(h, 1 / 25)])
            known = {"distributions": TOY.distributions(), "user_attrs": {"thought": thought}}
            study.add_trial(optuna.create_trial(params=h, value=value, **known))
        for _ in range(2 * 24):
            _step(study)
        assert {place[0] for place in _members(study)} == {0}
        reached.append(max(t.value for t in study.trials))
    assert np.median(reached) > 1.15
    assert min(reached) > 0.8


def test_members_train_in_turns_and_a_new_population_begins_when_all_are_through():
    study = _study()
    for _ in range(6 * 5 + 3):
        _step(study)
    expected = [(0, member, turn) for turn in range(5) for member in range(6)]
    assert _members(study) == [*expected, (1, 0, 0), (1, 1, 0), (1, 2, 0)]
    resources = [thought_of(t)["resource"] for t in study.trials[:30]]
    assert resources == [(turn + 1) / 5 for _, _, turn in expected]


def test_worst_copy_one_of_the_best_and_all_others_train_on_as_they_were():
    study = _study()
    for _ in range(30):
        _step(study)
    by_place = dict(zip(_members(study), study.trials, strict=True))
    n_copied = 0
    for (_, member, turn), trial in by_place.items():
        if turn == 0:
            continue
        before = {m: by_place[0, m, turn - 1] for m in range(6)}
        order = sorted(before, key=lambda m: -before[m].value)
        thought = thought_of(trial)
        parent = before[thought["parent"][0]]
        schedule, theirs = (Schedule.of_thought(thought_of(t)) for t in (trial, parent))
        if member in order[-2:]:
            n_copied += 1
            assert thought["parent"][0] in order[:2]
            assert schedule.past == (*theirs.past, Segment(parent.params, turn / 5))
            for name in ("h0", "h1"):
                assert trial.params[name] != parent.params[name] or parent.params[name] in (0.0, 1.0)
        else:
            assert thought["parent"] == [member, turn - 1]
            assert (trial.params, schedule.past) == (parent.params, theirs.past)
    assert n_copied == 2 * 4


def test_changes_are_by_the_perturbation_where_nothing_is_drawn_anew():
    space = SearchSpace((Float(name="h0", low=1e-6, high=1e6, default=1.0, log=True), TOY["h1"]))
    study = _study(PopulationBasedTraining(population=4, turns=5, resampling=0.0, perturbation=0.25), space)
    for _ in range(20):
        _step(study, space)
    for trial in study.trials:
        past = Schedule.of_thought(thought_of(trial)).past
        if past:
            ratio = trial.params["h0"] / past[-1].configuration["h0"]
            assert min(abs(ratio - 1.25), abs(ratio - 0.75)) < 1e-9 or ratio == 1.0


def test_whole_numbers_move_by_one_at_least():
    space = SearchSpace((Int(name="n", low=1, high=9, default=2), TOY["h0"], TOY["h1"]))
    study = _study(PopulationBasedTraining(population=4, turns=8, resampling=0.0, perturbation=0.1), space)
    for _ in range(32):
        _step(study, space)
    moves = [
        (trial.params["n"], past[-1].configuration["n"])
        for trial in study.trials
        if (past := Schedule.of_thought(thought_of(trial)).past) and past[-1].until == thought_of(trial)["turn"] / 8
    ]
    assert moves
    assert all(new != old or old in (1, 9) for new, old in moves)


def test_member_that_fails_copies_another():
    study = _study()
    for i in range(6):
        trial, configuration = propose(study, TOY)
        if i == 2:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, _quality([Segment(configuration, 0.2)]))
    for _ in range(3):
        _step(study)
    thought = thought_of(study.trials[-1])
    assert (thought["member"], thought["turn"]) == (2, 1)
    assert thought["parent"][0] != 2


def test_search_that_goes_on_trains_as_if_nothing_had_been():
    whole = _study()
    for _ in range(33):
        _step(whole)
    for n in (4, 6, 17, 30):
        second = _study()
        second.add_trials(whole.trials[:n])
        for _ in range(33 - n):
            _step(second)
        assert [(t.params, t.user_attrs) for t in second.trials] == [(t.params, t.user_attrs) for t in whole.trials]


@pytest.mark.parametrize(
    ("data", "model", "words"),
    [
        ("branin", "", "trains step by step"),
        ("iris", "svm", "cannot go on training"),
        ("iris", "random_forest", "cannot go on training"),
    ],
)
def test_says_why_it_does_not_suit_and_what_does(data, model, words):
    why = METHODS["population_based_training"].why_unsuitable(make_problem(data, model))
    assert words in why
    assert why.endswith(".")


def test_locked_space_leaves_nothing_to_vary():
    problem = make_problem("iris", "neural_network")
    locked = problem.space.narrowed(
        {name: Range(problem.space[name].default, problem.space[name].default)
         for name in ("learning_rate_init", "momentum", "alpha", "batch_size")}
    )  # fmt: skip
    child = make_problem("iris", "neural_network", space=tuple(locked.to_json()))
    assert "left in this space" in METHODS["population_based_training"].why_unsuitable(child)


def test_space_that_demands_early_stopping_is_refused():
    locked = make_problem("iris", "sgd").space.narrowed({"early_stopping": Range(choices=(True,))})
    child = make_problem("iris", "sgd", space=tuple(locked.to_json()))
    assert "Let early_stopping be False" in METHODS["population_based_training"].why_unsuitable(child)


@pytest.mark.parametrize("model", ["sgd", "neural_network", "gradient_boosting", "hist_gradient_boosting"])
def test_only_what_may_change_changes_and_the_length_of_training_is_the_same_for_all(model):
    problem = make_problem("iris", model, protocol=Protocol(folds=2))
    resource = problem.family.resource
    method = PopulationBasedTraining(population=3, turns=4)
    study = optuna.create_study(sampler=method.sampler_for(problem, 0), direction="maximize")
    for i in range(12):
        trial, configuration = propose(study, problem.space)
        assert configuration[resource.parameter] == problem.space[resource.parameter].default
        assert configuration["early_stopping"] is False
        for segment in Schedule.of_thought(thought_of(study.trials[-1])).past:
            kept = [name for name in configuration if name not in resource.changeable]
            assert {n: configuration[n] for n in kept} == {n: segment.configuration[n] for n in kept}
        study.tell(trial, float(np.sin(i)))
