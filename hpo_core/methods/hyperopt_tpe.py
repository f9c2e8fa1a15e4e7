"""Hyperopt's tree-structured Parzen estimator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from hpo_core.methods import Capabilities, Strengths
from hpo_core.methods._peer import Drawn, Peer, PeerSearch, imported
from hpo_core.methods._peer_space import configuration_at, coordinates, full_coordinates, n_levels
from hpo_core.options import option
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace


@dataclass(frozen=True)
class HyperoptTpe(PeerSearch):
    """`hyperopt.tpe.suggest` over `hp` expressions, seeded for each trial as `hyperopt.fmin` does."""

    key: ClassVar[str] = "hyperopt_tpe"
    label: ClassVar[str] = "Hyperopt TPE"
    purpose: ClassVar[str] = "Hyperopt's own TPE, which models each parameter by itself."
    when_to_use: ClassVar[str] = (
        "To compare with Hyperopt, or to go on with what worked there. Parameters that depend on a category become "
        "branches of hp.choice; those that depend on a number are always drawn, and ignored while inactive. Our TPE "
        "also learns which values go together."
    )
    source: ClassVar[str] = (
        "Bergstra, Yamins and Cox (2013), Making a Science of Model Search; "
        "Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for Hyper-Parameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=25, is_peer=True)
    package: ClassVar[str] = "hyperopt"
    modules: ClassVar[tuple[str, ...]] = ("hyperopt",)

    n_startup: int = option(
        20, "Random trials first", "How many trials are drawn at random before the method learns.", low=1, high=1000
    )
    n_candidates: int = option(24, "Candidates", "How many candidates are weighed for each trial.", low=1, high=1000)
    gamma: float = option(
        0.25,
        "Share of good trials",
        "How many trials count as good: this factor times the square root of their number.",
        low=0.05,
        high=1.0,
    )

    def start(self, space: SearchSpace, seed: int) -> Peer:
        suggest = partial(
            imported("hyperopt.tpe").suggest,
            n_startup_jobs=self.n_startup,
            n_EI_candidates=self.n_candidates,
            gamma=self.gamma,
            verbose=False,
        )
        return _Hyperopt(space, seed, suggest)


def hyperopt_space(space: SearchSpace) -> dict[str, Any]:
    """The space as Hyperopt writes it: an expression for each parameter at the root, labelled by its name."""
    hp = imported("hyperopt").hp
    parameters = space.varying
    expressions: dict[str, Any] = {}
    for p in reversed(parameters):  # a parameter stands after the one that it depends on
        branches = _branches(p, space)
        if isinstance(p, Categorical):
            expressions[p.name] = hp.choice(
                p.name,
                [{"index": i, **{name: expressions[name] for name in children}} for i, children in enumerate(branches)],
            )
        else:
            expressions[p.name] = _numeric(p, hp)
    nested = {name for p in parameters for children in _branches(p, space) for name in children}
    return {p.name: expressions[p.name] for p in parameters if p.name not in nested}


def _branches(p: AnyParameter, space: SearchSpace) -> list[list[str]]:
    """The parameters that each choice of a categorical parameter makes active."""
    if not isinstance(p, Categorical):
        return []
    return [
        [child.name for child in space.varying if child.when and child.when.holds({p.name: choice})]
        for choice in p.choices
    ]


def _numeric(p: AnyParameter, hp: Any) -> Any:
    assert not isinstance(p, Categorical)
    n = n_levels(p)
    if n is not None:
        return hp.quniform(p.name, -0.5, n - 0.5, 1)  # each step has an interval of its own
    if p.kind == "int":
        return hp.qloguniform(p.name, math.log(p.low - 0.5), math.log(p.high + 0.5), 1)
    return hp.loguniform(p.name, math.log(p.low), math.log(p.high)) if p.log else hp.uniform(p.name, p.low, p.high)


class _Hyperopt(Peer):
    def __init__(self, space: SearchSpace, seed: int, suggest: Any) -> None:
        hyperopt = imported("hyperopt")
        self._space, self._suggest = space, suggest
        self._rng = np.random.default_rng(seed)
        self._domain = hyperopt.base.Domain(lambda _: 0.0, hyperopt_space(space))
        self._trials = hyperopt.Trials()
        self._ok, self._failed = hyperopt.STATUS_OK, hyperopt.STATUS_FAIL
        self._done, self._new = hyperopt.JOB_STATE_DONE, hyperopt.JOB_STATE_NEW

    def draw(self) -> Drawn:
        ids = self._trials.new_trial_ids(1)
        self._trials.refresh()
        (document,) = self._suggest(ids, self._domain, self._trials, int(self._rng.integers(2**31 - 1)))
        self._trials.insert_trial_docs([document])
        self._trials.refresh()
        at = {name: values[0] for name, values in document["misc"]["vals"].items() if values}
        return Drawn(configuration_at(self._space, at), document["tid"])

    def tell(self, drawn: Drawn, value: float | None) -> None:
        document = next(d for d in reversed(self._trials._dynamic_trials) if d["tid"] == drawn.handle)
        document["state"], document["result"] = self._done, self._result(value)
        self._trials.refresh()

    def tell_other(self, configuration: Configuration, value: float | None) -> None:
        """As a document like those of `hyperopt.fmin`, with the values that a branch leaves open left out."""
        known = coordinates(self._space, configuration)
        nested = {name for p in self._space.varying for names in _branches(p, self._space) for name in names}
        at = {n: a for n, a in full_coordinates(self._space, configuration).items() if n in known or n not in nested}
        (tid,) = self._trials.new_trial_ids(1)
        vals = {name: [at[name]] if name in at else [] for name in self._domain.params}
        misc = {
            "tid": tid,
            "cmd": self._domain.cmd,
            "workdir": self._domain.workdir,
            "idxs": {name: [tid] if values else [] for name, values in vals.items()},
            "vals": vals,
        }
        (document,) = self._trials.new_trial_docs([tid], [None], [self._result(value)], [misc])
        document["state"] = self._done
        self._trials.insert_trial_docs([document])
        self._trials.refresh()

    def _result(self, value: float | None) -> dict[str, Any]:
        return {"status": self._failed} if value is None else {"status": self._ok, "loss": value}


HYPEROPT_TPE = HyperoptTpe()
