"""What the lab adds to Optuna's TPE sampler."""

import optuna

from hpo_core.methods import propose
from hpo_core.methods.tpe import TPE
from hpo_core.options import with_options
from hpo_core.space import Categorical, Condition, Float, SearchSpace

SPACE = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf"), default="rbf"),
        Float(name="gamma", low=0.0, high=1.0, default=0.5, when=Condition("kernel", ("rbf",))),
        Float(name="shift", low=0.0, high=1.0, default=0.5, when=Condition("kernel", ("rbf",))),
    )
)


def _searched(n: int, history: list[optuna.trial.FrozenTrial], **options: object) -> optuna.Study:
    study = optuna.create_study(sampler=with_options(TPE, options).sampler(SPACE, 0))
    study.add_trials(history)
    for _ in range(n):
        trial, configuration = propose(study, SPACE)
        distance = abs(configuration.get("gamma", 9.0) - 0.7) + abs(configuration.get("shift", 9.0) - 0.2)
        study.tell(trial, distance)
    return study


def test_interrupted_search_gives_the_same_trials_as_an_uninterrupted_one() -> None:
    whole = _searched(25, [])
    for n_before in (4, 17):
        resumed = _searched(25 - n_before, whole.trials[:n_before])
        assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]


def test_conditional_parameters_are_learned() -> None:
    learned = _searched(60, []).best_value
    assert learned < 0.1 < _searched(20, [], n_startup=20).best_value


def test_startup_trials_are_as_many_as_asked_for() -> None:
    short, long = _searched(12, [], n_startup=5), _searched(12, [], n_startup=12)
    same = [a.params == b.params for a, b in zip(short.trials, long.trials, strict=True)]
    assert all(same[:5])
    assert not all(same[5:])
