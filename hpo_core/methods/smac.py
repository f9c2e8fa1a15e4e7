"""SMAC3: Bayesian optimisation with a random forest."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hpo_core.methods import Capabilities, Strengths
from hpo_core.methods._peer import Drawn, Peer, PeerSearch, PeerWithoutFailures, imported
from hpo_core.methods._peer_space import configuration_at, coordinate, coordinates, n_levels
from hpo_core.options import option
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace


@dataclass(frozen=True)
class Smac(PeerSearch):
    """SMAC3's facade for hyperparameter optimisation, asked and told."""

    key: ClassVar[str] = "smac"
    label: ClassVar[str] = "SMAC3"
    purpose: ClassVar[str] = "SMAC3's own search: a random forest predicts, expected improvement picks."
    when_to_use: ClassVar[str] = (
        "To compare with SMAC3; strong on conditional and categorical spaces, as it knows conditions. It thinks longer "
        "than our methods do, so it suits fits that take seconds."
    )
    source: ClassVar[str] = (
        "Lindauer et al. (2022), SMAC3: A Versatile Bayesian Optimization Package for Hyperparameter Optimization; "
        "Hutter, Hoos and Leyton-Brown (2011), Sequential Model-Based Optimization for General Algorithm Configuration"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=15, surface="rough", is_peer=True)
    cost: ClassVar[str] = "A tenth of a second a trial and more."
    package: ClassVar[str] = "smac"
    modules: ClassVar[tuple[str, ...]] = ("smac", "ConfigSpace")

    n_expected: int = option(
        100,
        "Expected trials",
        "SMAC spends at most a quarter of them on its first, evenly spread configurations.",
        low=4,
        high=100_000,
    )
    n_challengers: int = option(
        10_000,
        "Challengers",
        "How many random configurations are weighed besides the local search.",
        low=10,
        high=100_000,
    )

    def start(self, space: SearchSpace, seed: int) -> Peer:
        return _Smac(self, space, seed)


def smac_space(space: SearchSpace) -> Any:
    """The space as ConfigSpace writes it, with its conditions; steps and choices are counted from 0 on."""
    library = imported("ConfigSpace")
    written = library.ConfigurationSpace()
    known = {p.name: _hyperparameter(p, library) for p in space.varying}
    written.add(list(known.values()))
    written.add([condition for p in space.varying if (condition := _condition(p, space, known, library))])
    return written


def _hyperparameter(p: AnyParameter, library: Any) -> Any:
    default = coordinate(p, p.default)
    n = n_levels(p)
    if isinstance(p, Categorical):
        return library.CategoricalHyperparameter(p.name, list(range(len(p.choices))), default_value=default)
    if n is not None:
        return library.UniformIntegerHyperparameter(p.name, 0, n - 1, default_value=default)
    kind = library.UniformIntegerHyperparameter if p.kind == "int" else library.UniformFloatHyperparameter
    return kind(p.name, p.low, p.high, log=p.log, default_value=default)


def _condition(p: AnyParameter, space: SearchSpace, known: dict[str, Any], library: Any) -> Any:
    """None for a parameter that is always active as far as what varies decides."""
    if p.when is None or p.when.parent not in known:
        return None
    parent = space[p.when.parent]
    values = [coordinate(parent, value) for value in p.when.values if parent.why_invalid(value) is None]
    return library.InCondition(known[p.name], known[parent.name], values)


class _Smac(PeerWithoutFailures):
    """SMAC has a word for failure, but with its cost of infinity the forest cannot be fitted (2.4)."""

    def __init__(self, method: Smac, space: SearchSpace, seed: int) -> None:
        super().__init__()
        smac = imported("smac")
        self._space, self._library = space, imported("ConfigSpace")
        self._info, self._value = smac.runhistory.TrialInfo, smac.runhistory.TrialValue
        facade = smac.HyperparameterOptimizationFacade
        self._ends = (StopIteration, imported("smac.main.exceptions").ConfigurationSpaceExhaustedException)
        with tempfile.TemporaryDirectory() as folder:  # SMAC 2.4 writes its settings whether one wants them or not
            scenario = smac.Scenario(
                smac_space(space),
                deterministic=True,
                n_trials=method.n_expected,
                seed=seed,
                output_directory=Path(folder),
            )
            self._facade = facade(
                scenario,
                acquisition_maximizer=facade.get_acquisition_maximizer(scenario, challengers=method.n_challengers),
                logging_level=False,
                overwrite=True,
            )

    def draw(self) -> Drawn | None:
        try:
            info = self._facade.ask()
        except self._ends:
            return None
        return Drawn(configuration_at(self._space, dict(info.config)), info)

    def tell_value(self, drawn: Drawn, value: float) -> None:
        self._facade.tell(drawn.handle, self._value(cost=value), save=False)

    def tell_other_value(self, configuration: Configuration, value: float) -> None:
        at = coordinates(self._space, configuration)
        known = self._library.Configuration(self._facade.scenario.configspace, values=at)
        self._facade.tell(self._info(known, seed=0), self._value(cost=value), save=False)


SMAC = Smac()
