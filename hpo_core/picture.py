"""What a model of one or two features looks like: what it predicts along the line or over the plane, and how much it
has learned.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.compose import TransformedTargetRegressor

from hpo_core.errors import UsageError
from hpo_core.fit_result import FitResult
from hpo_core.problem import ModelProblem, Problem

Floats = NDArray[np.float64]
SIDES = {1: 201, 2: 51}  # places along each feature
_MARGIN = 0.06  # around the rows, in widths of their range
_DIGITS = 4


def axes_of(problem: ModelProblem) -> tuple[Floats, ...]:
    """The places along each feature, evenly spaced over the range of all rows and a little beyond.

    Raises:
        UsageError: There are more than two features, or more than two classes.
    """
    n_features, n_classes = problem.features.shape[1], problem.data.n_classes
    if n_features not in SIDES or n_classes > 2:
        raise UsageError(
            "A picture shows a model of one or two features, and of two classes at most; "
            f"{problem.data.label} has {n_features} and {n_classes}."
        )
    ends = [(float(column.min()), float(column.max())) for _, column in problem.features.items()]
    around = [(low - _MARGIN * (high - low), high + _MARGIN * (high - low)) for low, high in ends]
    return tuple(np.linspace(low, high, SIDES[n_features]) for low, high in around)


def fit_with_picture(problem: Problem, configuration: Mapping[str, Any], fold: int) -> FitResult:
    """What `Problem.fit` gives, with `heights` and `learned`. The model is trained a second time for them.

    Raises:
        UsageError: The problem has no picture, see `axes_of`.
        ConfigurationError, FitError: As `Problem.fit`.
    """
    if not isinstance(problem, ModelProblem):
        raise UsageError("A landscape has no model that could be drawn.")
    axes = axes_of(problem)
    result = problem.fit(configuration, fold)
    train, _ = problem.split.folds[fold]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = problem.pipeline(problem.space.check(configuration))
        pipeline.fit(problem.features.iloc[train], problem.data.target[train])
        heights = _heights(pipeline, _table(problem, axes))
    return dataclasses.replace(
        result, heights=tuple(np.round(heights, _DIGITS).tolist()), learned=learned(pipeline[-1])
    )


def learned(model: Any) -> dict[str, int]:
    """What training has set in a model, counted by what it is; empty for a model that shows none of this."""
    core = model.regressor_ if isinstance(model, TransformedTargetRegressor) else model
    if hasattr(core, "tree_"):
        return {"question": _n_questions(core)}
    if hasattr(core, "estimators_"):
        trees = [tree for tree in np.ravel(core.estimators_) if hasattr(tree, "tree_")]
        return {"tree": len(trees), "question": sum(map(_n_questions, trees))}
    if hasattr(core, "coefs_"):
        return {"weight": sum(part.size for part in (*core.coefs_, *core.intercepts_))}
    if hasattr(core, "support_"):
        return {"support vector": len(core.support_)}
    if hasattr(core, "coef_"):
        return {"weight": int(np.size(core.coef_) + np.size(core.intercept_))}
    return {"remembered row": int(core.n_samples_fit_)} if hasattr(core, "n_samples_fit_") else {}


def _n_questions(tree: Any) -> int:
    return int(tree.tree_.node_count - tree.tree_.n_leaves)


def _table(problem: ModelProblem, axes: tuple[Floats, ...]) -> pd.DataFrame:
    """One row a place; of two features the first runs fastest."""
    grids = [grid.ravel() for grid in np.meshgrid(*axes)]
    return pd.DataFrame(dict(zip(problem.features.columns, grids, strict=True)))


def _heights(pipeline: Any, table: pd.DataFrame) -> Floats:
    """Numbers for regression; else how sure the model is of the second class, from 0 to 1."""
    if hasattr(pipeline, "predict_proba"):
        return np.asarray(pipeline.predict_proba(table)[:, 1])
    if hasattr(pipeline, "decision_function"):
        return np.asarray(expit(pipeline.decision_function(table)))
    return np.asarray(pipeline.predict(table), dtype=np.float64)
