"""Losses of real trainings of every network of a grid, recorded, so that what each is worth is known.

Such tables make architecture search repeatable: Ying et al. (2019), NAS-Bench-101. This makes it again, in some
minutes:

    python -m hpo_core.lessons._networks
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.problem import Problem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.space import Categorical, Condition, Configuration, Int, SearchSpace, configuration_digest

Floats = NDArray[np.float64]
DATA = "digits"
MOST_LAYERS = 4
PROTOCOL = Protocol(folds=5, repeats=2)
_WIDTHS = (8, 32, 128)
_ACTIVATIONS = ("relu", "tanh", "silu")
_SKIPS = (False, True)
_TRAINING = {"max_iter": 10, "batch_size": 64, "learning_rate_init": 0.003, "early_stopping": False}
_FILE = Path(__file__).parent / "recorded" / "networks.npz"


@lru_cache(maxsize=1)
def architectures() -> SearchSpace:
    """The shapes that were trained: depth, the width of each layer, activation and skips."""
    depth = Int(name="n_layers", low=1, high=MOST_LAYERS, default=2)
    widths = [
        Categorical(
            name=f"units_{layer}",
            choices=_WIDTHS,
            default=32,
            when=Condition("n_layers", tuple(range(layer, MOST_LAYERS + 1))) if layer > 1 else None,
        )
        for layer in range(1, MOST_LAYERS + 1)
    ]
    activation = Categorical(name="activation", choices=_ACTIVATIONS, default="relu")
    skip = Categorical(name="skip", choices=_SKIPS, default=False)
    return SearchSpace((depth, *widths, activation, skip))


def all_networks() -> list[Configuration]:
    """Each shape once."""
    return [
        {
            "n_layers": n_layers,
            **{f"units_{i}": width for i, width in enumerate(widths, 1)},
            "activation": activation,
            "skip": skip,
        }
        for n_layers in range(1, MOST_LAYERS + 1)
        for widths in itertools.product(_WIDTHS, repeat=n_layers)
        for activation in _ACTIVATIONS
        for skip in _SKIPS
    ]


def true_loss(configuration: Mapping[str, Any]) -> float:
    """The mean loss of the network over all folds."""
    return float(_losses(configuration).mean())


def seen_loss(configuration: Mapping[str, Any], n_folds: int, seed: int) -> float:
    """The mean over so many folds, drawn for this network; the same seed draws the same ones again."""
    rng = np.random.default_rng([seed, int(configuration_digest(configuration), 16)])
    return float(rng.choice(_losses(configuration), n_folds, replace=False).mean())


def trained_losses(configuration: Mapping[str, Any]) -> list[float]:
    """The loss on each fold, after training anew; some seconds."""
    problem = _problem()
    whole = problem.space.completed({**_TRAINING, **configuration})
    return [problem.fit(whole, fold).score for fold in range(PROTOCOL.n_folds)]


def _losses(configuration: Mapping[str, Any]) -> Floats:
    return _recorded()[configuration_digest(configuration)]


@lru_cache(maxsize=1)
def _problem() -> Problem:
    return make_problem(DATA, "architecture", metric="log_loss", protocol=PROTOCOL)


@lru_cache(maxsize=1)
def _recorded() -> dict[str, Floats]:
    with np.load(_FILE, allow_pickle=False) as file:
        losses = file["losses"].astype(np.float64)
    return {configuration_digest(c): row for c, row in zip(all_networks(), losses, strict=True)}


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        np.savez_compressed(_FILE, losses=np.array(list(pool.map(trained_losses, all_networks())), dtype=np.float32))
    sys.stdout.write(f"{_FILE} is recorded.\n")
