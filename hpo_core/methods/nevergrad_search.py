"""Nevergrad's optimisers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hpo_core.methods import Strengths
from hpo_core.methods._peer import Drawn, Peer, PeerSearch, PeerWithoutFailures, imported
from hpo_core.methods._peer_space import configuration_at, coordinate, full_coordinates, n_levels
from hpo_core.options import option
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace


@dataclass(frozen=True)
class NevergradSearch(PeerSearch):
    """An optimiser of nevergrad's registry over its own parametrisation."""

    key: ClassVar[str] = "nevergrad"
    label: ClassVar[str] = "Nevergrad"
    purpose: ClassVar[str] = "Nevergrad's NGOpt, which picks one of its many optimisers by space and budget."
    when_to_use: ClassVar[str] = (
        "To compare with nevergrad; strong with hundreds of cheap trials and noisy scores. Conditions are not known to "
        "it: inactive values are drawn and ignored."
    )
    source: ClassVar[str] = (
        "Rapin and Teytaud (2018), Nevergrad: A Gradient-Free Optimization Platform; "
        "Meunier et al. (2022), Black-Box Optimization Revisited (NGOpt)"
    )
    strengths: ClassVar[Strengths] = Strengths(fewest=100, is_peer=True)
    package: ClassVar[str] = "nevergrad"
    modules: ClassVar[tuple[str, ...]] = ("nevergrad",)

    optimiser: str = option(
        "NGOpt",
        "Optimiser",
        "Which of nevergrad's optimisers; NGOpt picks by itself.",
        choices=("NGOpt", "OnePlusOne", "DiscreteOnePlusOne", "TwoPointsDE", "PSO", "CMA", "TBPSA"),
    )
    n_expected: int = option(100, "Expected trials", "NGOpt picks its optimiser by this number.", low=10, high=5000)

    def start(self, space: SearchSpace, seed: int) -> Peer:
        return _Nevergrad(self, space, seed)


def nevergrad_space(space: SearchSpace) -> Any:
    """The space as nevergrad writes it; steps and choices are counted from 0 on."""
    p = imported("nevergrad").p
    return p.Dict(**{parameter.name: _parametrised(parameter, p) for parameter in space.varying})


def _parametrised(p: AnyParameter, kinds: Any) -> Any:
    default = coordinate(p, p.default)
    n = n_levels(p)
    if isinstance(p, Categorical):
        return kinds.Choice(list(range(len(p.choices))))
    if n is not None:
        return kinds.Scalar(init=default, lower=0, upper=n - 1).set_integer_casting()
    if p.log:
        scale = kinds.Log(init=default, lower=p.low, upper=p.high)
        return scale.set_integer_casting() if p.kind == "int" else scale
    return kinds.Scalar(init=default, lower=p.low, upper=p.high)


class _Nevergrad(PeerWithoutFailures):
    def __init__(self, method: NevergradSearch, space: SearchSpace, seed: int) -> None:
        super().__init__()
        library = imported("nevergrad")
        # Nevergrad 1.0.12 makes a number of an array of one, which numpy 2.4 refuses; until it is mended there.
        imported("nevergrad.optimization.metamodel").float = lambda array: np.asarray(array).item()
        self._space = space
        parametrisation = nevergrad_space(space)
        parametrisation.random_state = np.random.RandomState(seed % 2**32)
        optimiser = library.optimizers.registry[method.optimiser]
        self._optimiser = optimiser(parametrisation, budget=method.n_expected, num_workers=1)
        self._unsupported = library.errors.TellNotAskedNotSupportedError

    def draw(self) -> Drawn:
        candidate = self._optimiser.ask()
        return Drawn(configuration_at(self._space, candidate.value), candidate)

    def tell_value(self, drawn: Drawn, value: float) -> None:
        self._optimiser.tell(drawn.handle, value)

    def tell_other_value(self, configuration: Configuration, value: float) -> None:
        known = self._optimiser.parametrization.spawn_child(new_value=full_coordinates(self._space, configuration))
        with contextlib.suppress(self._unsupported):
            self._optimiser.tell(known, value)


NEVERGRAD = NevergradSearch()
