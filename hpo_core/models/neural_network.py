"""Multi-layer perceptrons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor

from hpo_core.models import (
    HELD_OUT,
    DataFacts,
    ModelFamily,
    Resource,
    beyond_rows,
    early_stopping,
    with_scaled_target,
)
from hpo_core.models._growing import grow_network, trains_in_one_go
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

_MOST_LAYERS = 4


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (*_layers(), _activation(), *_solver(), _batch(facts), _epochs(), _alpha(), *early_stopping(facts, "epochs"))
    )


def _layers() -> list[Int]:
    n_layers = Int(
        name="n_layers",
        label="hidden layers",
        explanation="How many hidden layers stand one behind the other; more can bend the function more sharply.",
        low=1,
        high=_MOST_LAYERS,
        default=1,
    )
    return [n_layers, *map(_width, range(1, _MOST_LAYERS + 1))]


def _width(layer: int) -> Int:
    return Int(
        name=f"units_{layer}",
        label=f"neurons, layer {layer}",
        explanation=f"How many neurons layer {layer} has; more can hold finer detail and take longer.",
        low=4,
        high=512,
        default=100,
        log=True,
        when=Condition("n_layers", tuple(range(layer, _MOST_LAYERS + 1))) if layer > 1 else None,
    )


def _activation() -> Categorical:
    return Categorical(
        name="activation",
        label="activation",
        explanation="How a neuron bends its input: relu has a corner and trains fast, tanh and logistic are smooth.",
        choices=("relu", "tanh", "logistic"),
        default="relu",
    )


def _solver() -> tuple[Categorical, Float, Float]:
    solver = Categorical(
        name="solver",
        label="optimiser",
        explanation="adam adapts the step of every weight by itself; sgd takes plain steps with momentum.",
        choices=("adam", "sgd"),
        default="adam",
    )
    rate = Float(
        name="learning_rate_init",
        label="learning rate",
        explanation="Size of a training step; higher learns faster, up to where training becomes unsteady.",
        low=1e-5,
        high=0.1,
        default=1e-3,
        log=True,
    )
    momentum = Float(
        name="momentum",
        label="momentum",
        explanation="How much of the last step goes into the next; higher rolls faster through flat stretches.",
        low=0.0,
        high=0.99,
        default=0.9,
        when=Condition("solver", ("sgd",)),
    )
    return solver, rate, momentum


def _batch(facts: DataFacts) -> Int:
    """The default is what batch_size="auto" computes."""
    return Int(
        name="batch_size",
        label="batch size",
        explanation="How many rows go into one training step; higher gives fewer, steadier steps in an epoch.",
        low=max(1, min(8, facts.n_rows)),
        high=max(1, min(1024, facts.n_rows)),
        default=max(1, min(200, facts.n_rows)),
        log=True,
    )


def _epochs() -> Int:
    return Int(
        name="max_iter",
        label="epochs",
        explanation="How often the rows are gone through at most; higher trains longer and fits closer.",
        low=10,
        high=1000,
        default=200,
        log=True,
    )


def _alpha() -> Float:
    return Float(
        name="alpha",
        label="L2",
        explanation="How hard large weights are punished; higher gives a smoother function.",
        low=1e-7,
        high=10.0,
        default=1e-4,
        log=True,
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    arguments = dict(configuration)
    n_layers = arguments.pop("n_layers")
    arguments["hidden_layer_sizes"] = tuple(arguments.pop(f"units_{i}") for i in range(1, n_layers + 1))
    n_held_out = math.ceil(HELD_OUT * facts.n_rows) if arguments.get("early_stopping") else 0
    arguments["batch_size"] = max(1, min(arguments["batch_size"], facts.n_rows - n_held_out))
    if facts.task == "classification":
        return MLPClassifier(random_state=seed, **arguments)
    return with_scaled_target(MLPRegressor(random_state=seed, **arguments))


neural_network = ModelFamily(
    key="neural_network",
    label="Neural network",
    purpose="Layers of neurons trained by gradient descent; can learn any shape, and needs more tuning than others.",
    source="D. E. Rumelhart, G. E. Hinton and R. J. Williams, 1986, Learning Representations by Back-Propagating "
    "Errors; D. P. Kingma and J. Ba, 2015, Adam: A Method for Stochastic Optimization",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    resource=Resource(
        parameter="max_iter",
        noun="epochs",
        grow=grow_network,
        trains_in_one_go=trains_in_one_go,
        changeable=("learning_rate_init", "momentum", "alpha", "batch_size"),
    ),
    is_slow=beyond_rows(20_000),
    short="MLP",
)
