"""Network architectures: depth, widths, activation and skips as a conditional space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from hpo_core.models import DataFacts, ModelFamily, Resource, early_stopping, with_scaled_target
from hpo_core.models._network import ResidualClassifier, ResidualRegressor
from hpo_core.space import AnyParameter, Categorical, Condition, Float, Int, SearchSpace

_MOST_LAYERS = 6


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace((*_shape(), *_training(facts), *_restraint(facts)))


def _shape() -> list[AnyParameter]:
    depth = Int(
        name="n_layers",
        label="hidden layers",
        explanation="How many hidden layers stand one behind the other; more can bend the function more sharply.",
        low=1,
        high=_MOST_LAYERS,
        default=2,
    )
    activation = Categorical(
        name="activation",
        label="activation",
        explanation="How a neuron bends its input: relu has a corner, silu is smooth like it, tanh saturates.",
        choices=("relu", "tanh", "silu"),
        default="relu",
    )
    skip = Categorical(
        name="skip",
        label="skip connections",
        explanation="Whether each layer adds its input to its output, so that deep networks train as easily as flat.",
        choices=(False, True),
        default=False,
    )
    return [depth, *map(_width, range(1, _MOST_LAYERS + 1)), activation, skip]


def _width(layer: int) -> Int:
    return Int(
        name=f"units_{layer}",
        label=f"neurons, layer {layer}",
        explanation=f"How many neurons layer {layer} has; more can hold finer detail and take longer.",
        low=4,
        high=256,
        default=64,
        log=True,
        when=Condition("n_layers", tuple(range(layer, _MOST_LAYERS + 1))) if layer > 1 else None,
    )


def _training(facts: DataFacts) -> list[AnyParameter]:
    rate = Float(
        name="learning_rate_init",
        label="learning rate",
        explanation="Size of a training step; higher learns faster, up to where training becomes unsteady.",
        low=1e-4,
        high=0.03,
        default=1e-3,
        log=True,
    )
    most = max(1, min(512, facts.n_rows))
    batch = Int(
        name="batch_size",
        label="batch size",
        explanation="How many rows go into one training step; higher gives fewer, steadier steps in an epoch.",
        low=min(16, most),
        high=most,
        default=min(64, most),
        log=True,
    )
    epochs = Int(
        name="max_iter",
        label="epochs",
        explanation="How often the rows are gone through at most; higher trains longer and fits closer.",
        low=10,
        high=400,
        default=100,
        log=True,
    )
    return [rate, batch, epochs]


def _restraint(facts: DataFacts) -> list[AnyParameter]:
    alpha = Float(
        name="alpha",
        label="L2",
        explanation="How hard large weights are punished; higher gives a smoother function.",
        low=1e-7,
        high=10.0,
        default=1e-4,
        log=True,
    )
    dropout = Float(
        name="dropout",
        label="dropout",
        explanation="Share of the neurons that are silenced at random in training; higher steadies a large network.",
        low=0.0,
        high=0.6,
        default=0.0,
    )
    return [alpha, dropout, *early_stopping(facts, "epochs")]


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    arguments = dict(configuration)
    n_layers = arguments.pop("n_layers")
    arguments["hidden_widths"] = tuple(arguments.pop(f"units_{i}") for i in range(1, n_layers + 1))
    if facts.task == "classification":
        return ResidualClassifier(random_state=seed, **arguments)
    return with_scaled_target(ResidualRegressor(random_state=seed, **arguments))


architecture = ModelFamily(
    key="architecture",
    label="Network architecture",
    purpose="Networks whose depth, widths, activation and skips are searched; the best one found is drawn.",
    source="K. He, X. Zhang, S. Ren and J. Sun, 2016, Deep Residual Learning for Image Recognition; T. Elsken, J. H. "
    "Metzen and F. Hutter, 2019, Neural Architecture Search: A Survey",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    resource=Resource(parameter="max_iter", noun="epochs"),
    cost=3,
)
