"""Grid search: what it counts, in which order it goes, and when it ends."""

import itertools

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from scipy.stats import qmc

from hpo_core.errors import UsageError
from hpo_core.methods import SearchExhausted, propose
from hpo_core.methods.grid import GRID, GridSearch
from hpo_core.options import with_options
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

PLANE = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.2), Float(name="y", low=0.0, high=1.0, default=0.2)))

NESTED = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Float(name="c", low=0.1, high=10.0, default=1.0, log=True),
        Float(name="gamma", low=0.1, high=1.0, default=0.1, when=Condition("kernel", ("rbf", "poly"))),
        Int(name="degree", low=2, high=4, default=3, when=Condition("kernel", ("poly",))),
        Categorical(name="shape", choices=("a", "b"), default="a", when=Condition("degree", (4,))),
        Categorical(name="flag", choices=(True, False), default=True),
    )
)


def _proposals(study: optuna.Study, space: SearchSpace, n: int) -> list[dict[str, object]]:
    proposals = []
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, 0.0)
        proposals.append(configuration)
    return proposals


def _by_hand(resolution: int) -> list[dict[str, object]]:
    """The grid of NESTED, spelled out."""
    found: list[dict[str, object]] = []
    for c, flag in itertools.product(NESTED["c"].levels(resolution), (True, False)):
        found.append({"kernel": "linear", "c": c, "flag": flag})
        for gamma in NESTED["gamma"].levels(resolution):
            found.append({"kernel": "rbf", "c": c, "gamma": gamma, "flag": flag})
            for degree in NESTED["degree"].levels(resolution):
                poly = {"kernel": "poly", "c": c, "gamma": gamma, "degree": degree, "flag": flag}
                found += [{**poly, "shape": shape} for shape in "ab"] if degree == 4 else [poly]
    return found


@pytest.mark.parametrize("resolution", [1, 2, 3, 5])
def test_size_counts_no_value_of_an_inactive_parameter(resolution: int) -> None:
    assert GridSearch(resolution).n_configurations(NESTED) == len(_by_hand(resolution))


@pytest.mark.parametrize("resolution", [1, 2, 4])
def test_ranks_reach_every_configuration_once(resolution: int) -> None:
    grid = GridSearch(resolution).grid(NESTED)
    ranked = [grid[rank] for rank in range(grid.size)]
    expected = _by_hand(resolution)
    assert len(ranked) == len(expected)
    assert all(configuration in ranked for configuration in expected)


def test_search_tries_the_whole_grid_and_then_ends() -> None:
    study = optuna.create_study(sampler=GridSearch(3).sampler(NESTED, 0))
    proposals = _proposals(study, NESTED, GridSearch(3).n_configurations(NESTED))
    assert all(configuration in proposals for configuration in _by_hand(3))
    with pytest.raises(SearchExhausted, match="every combination"):
        propose(study, NESTED)
    assert study.trials[-1].state == TrialState.FAIL


def test_begins_in_the_middle_and_covers_all_quarters_at_once() -> None:
    study = optuna.create_study(sampler=GRID.sampler(PLANE, 0))
    first, *others = _proposals(study, PLANE, 7)
    assert first == {"x": 0.5, "y": 0.5}
    quarters = {(c["x"] > 0.5, c["y"] > 0.5) for c in others if c["x"] != 0.5 != c["y"]}
    assert len(quarters) == 4


@pytest.mark.parametrize("n", [8, 16, 32, 64])
def test_early_stop_leaves_an_even_spread(n: int) -> None:
    study = optuna.create_study(sampler=GridSearch(20).sampler(PLANE, 0))
    points = PLANE.to_unit(_proposals(study, PLANE, n))
    rng = np.random.default_rng(0)
    chance = np.mean([qmc.discrepancy(np.round(rng.random((n, 2)) * 19) / 19) for _ in range(20)])
    assert qmc.discrepancy(points) < 0.7 * chance


def test_huge_grid_is_counted_exactly_and_walked_without_being_built() -> None:
    space = SearchSpace(tuple(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(30)))
    method = GridSearch(1000)
    assert method.n_configurations(space) == 10**90
    study = optuna.create_study(sampler=method.sampler(space, 0))
    proposals = _proposals(study, space, 20)
    assert len({tuple(configuration.values()) for configuration in proposals}) == 20


def test_last_rank_of_a_huge_grid_is_a_configuration() -> None:
    space = SearchSpace(tuple(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(30)))
    grid = GridSearch(1000).grid(space)
    assert grid[grid.size - 1] == {f"x{i}": 1.0 for i in range(30)}


def test_resumed_grid_leaves_out_what_was_done_running_or_failed() -> None:
    method = GridSearch(3)
    first = optuna.create_study(sampler=method.sampler(NESTED, 0))
    done = _proposals(first, NESTED, 10)
    trial, failed = propose(first, NESTED)
    first.tell(trial, state=TrialState.FAIL)
    second = optuna.create_study(sampler=method.sampler(NESTED, 0))
    second.add_trials(first.trials)
    _, running = propose(second, NESTED)
    rest = _proposals(second, NESTED, method.n_configurations(NESTED) - 12)
    everything = [*done, failed, running, *rest]
    assert all(configuration in everything for configuration in _by_hand(3))
    with pytest.raises(SearchExhausted):
        propose(second, NESTED)


def test_trials_off_the_grid_take_nothing_from_it() -> None:
    study = optuna.create_study(sampler=GridSearch(2).sampler(PLANE, 0))
    study.add_trial(optuna.create_trial(params={"x": 0.3, "y": 0.3}, distributions=PLANE.distributions(), value=1.0))
    assert len(_proposals(study, PLANE, 4)) == 4


def test_queued_trial_is_run_even_when_the_grid_is_finished() -> None:
    study = optuna.create_study(sampler=GridSearch(1).sampler(PLANE, 0))
    _proposals(study, PLANE, 1)
    study.enqueue_trial({"x": 0.9, "y": 0.1})
    assert propose(study, PLANE)[1] == {"x": 0.9, "y": 0.1}


def test_single_resolutions_give_exactly_these_levels() -> None:
    method = with_options(GRID, {"resolution": 3, "single": "gamma=4,  degree=1"})
    study = optuna.create_study(sampler=method.sampler(NESTED, 0))
    found = _proposals(study, NESTED, method.n_configurations(NESTED))
    tried = {name: sorted({c[name] for c in found if name in c}) for name in ("c", "gamma", "degree")}
    assert tried == {
        "c": pytest.approx([0.1, 1.0, 10.0]),
        "gamma": pytest.approx([0.1, 0.4, 0.7, 1.0]),
        "degree": [3],
    }
    with pytest.raises(SearchExhausted):
        propose(study, NESTED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C", "single: write name=number, with commas between, such as C=9, gamma=5; got 'C'."),
        ("C=many", "got 'C=many'"),
        ("C=2.5", "got 'C=2.5'"),
        ("C=-1", "got 'C=-1'"),
        ("=4", "got '=4'"),
        ("C=²", "got 'C=²'"),
        ("C=0", "C must take from 1 to 1000 values; got 0."),
        ("C=100000", "C must take from 1 to 1000 values; got 100000."),
        ("C=3, C=4", "C is named twice."),
    ],
)
def test_text_of_resolutions_that_cannot_be_read_gets_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_options(GRID, {"single": text})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gama=4", "There is no parameter 'gama' to set a number of values for; there are c, gamma, degree."),
        ("kernel=2", "kernel is a category and takes all its choices; leave it out, or narrow its choices."),
    ],
)
def test_resolution_of_what_is_no_number_of_the_space_gets_one_sentence(text: str, words: str) -> None:
    method = with_options(GRID, {"single": text})
    assert method.why_unavailable(NESTED) == words
    with pytest.raises(UsageError, match=text[:4]):
        method.sampler(NESTED, 0)
