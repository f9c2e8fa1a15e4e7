"""FLAML's searchers, asked and told by their own interface: `suggest` and `on_trial_complete`."""

from __future__ import annotations

from typing import Any

from hpo_core.methods._peer import Drawn, Peer, imported
from hpo_core.methods._peer_space import configuration_at, full_coordinates, n_levels
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace

_LOSS = "loss"


def flaml_space(space: SearchSpace) -> dict[str, Any]:
    """The space as FLAML writes it; steps and choices are counted from 0 on."""
    tune = imported("flaml.tune")
    return {p.name: _domain(p, tune) for p in space.varying}


def _domain(p: AnyParameter, tune: Any) -> Any:
    n = n_levels(p)
    if isinstance(p, Categorical):
        return tune.choice(list(range(len(p.choices))))
    if n is not None:
        return tune.randint(0, n)
    if p.kind == "int":
        return tune.lograndint(p.low, p.high + 1)
    return tune.loguniform(p.low, p.high) if p.log else tune.uniform(p.low, p.high)


class FlamlPeer(Peer):
    """A searcher, made when it is first asked: FLAML takes what is known before only when it begins.

    All fits count as equally costly, as a search that goes by the clock would not be repeatable.
    """

    def __init__(self, searcher: Any, space: SearchSpace, seed: int) -> None:
        self._kind, self._space, self._seed = searcher, space, seed
        self._known: list[tuple[Configuration, float]] = []
        self._searcher: Any = None
        self._n_trials = 0

    def draw(self) -> Drawn | None:
        if self._searcher is None:
            self._searcher = self._begun()
        name = self._new_name()
        suggested = self._searcher.suggest(name)
        if suggested is None:
            return None
        return Drawn(configuration_at(self._space, suggested), (name, suggested))

    def tell(self, drawn: Drawn, value: float | None) -> None:
        name, suggested = drawn.handle
        if value is None:
            self._searcher.on_trial_complete(name, error=True)
        else:
            self._searcher.on_trial_complete(name, {_LOSS: value, "config": suggested})

    def tell_other(self, configuration: Configuration, value: float | None) -> None:
        if value is None:
            return
        if self._searcher is None:
            self._known.append((configuration, value))
        else:
            result = {_LOSS: value, "config": full_coordinates(self._space, configuration)}
            self._searcher.on_trial_complete(self._new_name(), result)

    def _begun(self) -> Any:
        return self._kind(
            metric=_LOSS,
            mode="min",
            space=flaml_space(self._space),
            points_to_evaluate=[full_coordinates(self._space, configuration) for configuration, _ in self._known],
            evaluated_rewards=[value for _, value in self._known],
            seed=self._seed,
        )

    def _new_name(self) -> str:
        self._n_trials += 1
        return f"trial-{self._n_trials}"
