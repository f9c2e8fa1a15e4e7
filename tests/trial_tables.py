"""Tables of trials for tests, made by one builder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.studies.table import TrialTable

SVM: dict[str, BaseDistribution] = {
    "C": FloatDistribution(1e-3, 1e3, log=True),
    "gamma": FloatDistribution(1e-4, 10.0, log=True),
    "kernel": CategoricalDistribution(("rbf", "poly", "sigmoid")),
    "degree": IntDistribution(2, 5),
    "shrinking": CategoricalDistribution((True, False)),
}


def build_table(
    n: int = 60,
    *,
    distributions: Mapping[str, BaseDistribution] = SVM,
    direction: str = "maximize",
    arms: Sequence[str] = ("default", "manual", "tpe"),
    n_folds: int = 5,
    seed: int = 0,
    **columns: Any,
) -> TrialTable:
    """A study whose value falls with the distance of its first two parameters from 0.6 of their ranges.

    The first arm makes the first trial, the second about one in seven, the last all others. `degree` is active for the
    polynomial kernel only. `columns` replace those of the table.
    """
    rng = np.random.default_rng(seed)
    units = rng.uniform(size=(n, max(len(distributions), 2)))
    params = {name: _internal(d, units[:, i]) for i, (name, d) in enumerate(distributions.items())}
    if "degree" in params and "kernel" in params:
        params["degree"] = np.where(params["kernel"] == 1, params["degree"], np.nan)
    distance = ((units[:, :2] - 0.6) ** 2).sum(axis=1)
    score = 0.98 - 0.6 * distance if direction == "maximize" else 0.1 + distance
    folds = score[:, None] + rng.normal(0, 0.006, size=(n, n_folds))
    started = 1.7e9 + np.cumsum(rng.uniform(0.05, 2.0, size=n))
    table = TrialTable(
        study="svm on digits",
        direction=direction,  # type: ignore[arg-type]
        revision=f"{n}",
        ids=np.arange(1, n + 1),
        numbers=np.arange(n),
        states=np.full(n, TrialState.COMPLETE.value, dtype=np.int8),
        values=folds.mean(axis=1) if n_folds else score,
        started=started,
        completed=started + 0.5,
        arms=_arm_column(n, arms, rng),
        params=params,
        distributions=dict(distributions),
        fold_scores=folds,
        train_scores=folds + 0.01,
        fit_seconds=np.full((n, n_folds), 0.1),
        predict_seconds=np.full((n, n_folds), 0.01),
        model_bytes=np.full((n, n_folds), 1e5),
        reasons=np.full(n, ""),
        thoughts=np.full(n, "", dtype=object),
    )
    return replace(table, **columns)


def with_faults(table: TrialTable) -> TrialTable:
    """The table with every tenth trial failed and every seventh pruned."""
    place = np.arange(len(table))
    states = table.states.copy()
    states[place % 7 == 3] = TrialState.PRUNED.value
    states[place % 10 == 9] = TrialState.FAIL.value
    failed = states == TrialState.FAIL.value
    reasons = np.where(failed, "The fit took longer than 10 s.", "")
    return replace(table, states=states, values=np.where(failed, np.nan, table.values), reasons=reasons)


def drawn_at_random(table: TrialTable) -> TrialTable:
    """The table with half of the automated trials made by random search."""
    is_drawn = (table.arms == "tpe") & (np.arange(len(table)) % 2 == 0)
    return replace(table, arms=np.where(is_drawn, "random", table.arms))


def with_thoughts(table: TrialTable, size: int = 8) -> TrialTable:
    """The table with thoughts for each picture from inside: generations with parents, clouds, stages, walks."""
    thoughts = [json.dumps(_thought(table, row, size)) for row in range(len(table))]
    return replace(table, thoughts=np.array(thoughts, dtype=object))


def _thought(table: TrialTable, row: int, size: int) -> dict[str, Any]:
    generation, index = divmod(row, size)
    parents = [f"g{generation - 1}.{(index + i) % size}" for i in range(2)] if generation else []
    thought = {"method": "genetic", "id": f"g{generation}.{index}", "generation": generation, "parents": parents}
    thought |= {"operator": "blend crossover" if generation else "random", "stage": "a stage", "why": "A reason."}
    axes = list(table.params)[:3]
    if index == 0 and len(axes) > 1:
        covariance = (0.01 * (np.eye(len(axes)) + 0.5) / (1 + generation)).tolist()
        thought |= {"axes": axes, "mean": [0.4] * len(axes), "sigma": 0.1, "covariance": covariance}
    else:
        thought |= {"mean": 0.5 + 0.01 * index, "sd": 0.02}
    return thought | _rung(row) | _turn(table, row) | _slope(table, row)


def _slope(table: TrialTable, row: int) -> dict[str, Any]:
    """Walks of ten steps, with the gradient of the loss at each."""
    walk, step = divmod(row, 10)
    names = [n for n, d in table.distributions.items() if not isinstance(d, CategoricalDistribution)]
    at = {name: (0.1 + 0.08 * step + 0.03 * i) % 1.0 for i, name in enumerate(names)}
    gradient = {name: 0.2 * (1 + i) / (1 + step) for i, name in enumerate(names)}
    return {"walk": walk, "step_number": step, "at": at, "gradient": gradient, "loss": 0.5 - 0.02 * step}


def _rung(row: int) -> dict[str, Any]:
    """Brackets of nine configurations, of which three climb, and then one."""
    bracket, place = divmod(row, 13)
    rung, slot = (0, place) if place < 9 else (1, place - 9) if place < 12 else (2, 0)
    return {"scheme": "asha 3", "bracket": bracket, "rung": rung, "slot": slot, "resource": 3.0 ** (rung - 2)}


def _turn(table: TrialTable, row: int) -> dict[str, Any]:
    """Populations of five members in six turns; every fourth trial goes on from another member."""
    turn, member = divmod(row % 30, 5)
    parent = [(member + (row % 4 == 0)) % 5, turn - 1] if turn else None
    numbers = {n: 1.0 for n, d in table.distributions.items() if not isinstance(d, CategoricalDistribution)}
    return {"round": row // 30, "member": member, "turn": turn, "parent": parent, "past": [[numbers, 0.01]]}


def with_choices(table: TrialTable) -> TrialTable:
    """The table with the parameters that pictures of a part of the lab look for: model families, network layers."""
    n, place = len(table), np.arange(len(table))
    added: dict[str, tuple[BaseDistribution, np.ndarray]] = {
        "family": (CategoricalDistribution(("ridge", "svm", "<b>own</b>")), place % 3.0),
        "n_layers": (IntDistribution(1, 3), 1.0 + place % 3),
        "activation": (CategoricalDistribution(("relu", "tanh")), place % 2.0),
        "skip": (CategoricalDistribution((False, True)), place // 2 % 2.0),
    }
    for i in range(1, 4):
        added[f"units_{i}"] = (
            IntDistribution(4, 256),
            np.where(place % 3 >= i - 1, 4.0 + (37 * i * place) % 250, np.nan),
        )
    params = table.params | {name: np.asarray(column, dtype=float).reshape(n) for name, (_, column) in added.items()}
    return replace(table, params=params, distributions=table.distributions | {k: d for k, (d, _) in added.items()})


def many_parameters(count: int) -> dict[str, BaseDistribution]:
    """`count` parameters of all kinds with long names."""
    kinds = (
        FloatDistribution(0.0, 1.0),
        FloatDistribution(1e-5, 1.0, log=True),
        IntDistribution(1, 500, log=True),
        CategoricalDistribution(("first choice", "second choice", None)),
    )
    return {f"parameter_number_{i}": kinds[i % len(kinds)] for i in range(count)}


def _arm_column(n: int, arms: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    column = np.full(n, arms[-1], dtype=f"<U{max(map(len, arms)) or 1}")
    if len(arms) > 1:
        column[rng.uniform(size=n) < 0.15] = arms[1]
        column[:1] = arms[0]
    return column


def _internal(distribution: BaseDistribution, unit: np.ndarray) -> np.ndarray:
    if isinstance(distribution, CategoricalDistribution):
        return np.floor(unit * len(distribution.choices))
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    low, high = float(distribution.low), float(distribution.high)
    raw = low * (high / low) ** unit if distribution.log else low + unit * (high - low)
    return np.round(raw) if isinstance(distribution, IntDistribution) else raw
