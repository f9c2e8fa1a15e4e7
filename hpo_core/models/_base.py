"""The manual of model families: what a file in this folder declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from hpo_core.datasets import Task
from hpo_core.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What a search space may depend on: the development rows after preparation.

    Attributes:
        task: Classification or regression.
        n_rows: Rows that the model is trained on in one fold.
        n_features: Columns after preparation (one-hot columns counted).
        n_classes: Classes; 0 for regression.
        feature_variance: Variance over all entries of the prepared matrix, as SVC's gamma="scale" takes it.
        target_scale: Standard deviation of the target; 1 for classification.
    """

    task: Task
    n_rows: int
    n_features: int
    n_classes: int = 0
    feature_variance: float = 1.0
    target_scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a cheaper, partial fit spends less of: an integer parameter of the estimator, such as trees or epochs."""

    parameter: str
    noun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """A family of models. A file in this folder binds one to a module-level name.

    Attributes:
        key: Plain name on the command line and in URLs, such as `random_forest`.
        label: Name on screen.
        purpose: One line: what the model does and when it is strong.
        source: Paper or book (author, year, title).
        tasks: What it can do.
        space: The search space for given data; its defaults are the library's own.
        build: An untrained estimator: `build(configuration, facts, seed)`, from the active parameters alone. Neighbours
            and batch sizes above `facts.n_rows` are cut to it, so that a fit on fewer rows is legal where the facts say
            so. The estimator itself uses one thread.
        needs_scaling: Whether features are standardised before it.
        resource: What a partial fit spends less of; None means rows of the training folds.
        why_unavailable: None, or "not installed: pip install x".
    """

    key: str
    label: str
    purpose: str
    source: str
    tasks: tuple[Task, ...]
    space: Callable[[DataFacts], SearchSpace]
    build: Callable[[Mapping[str, Any], DataFacts, int], BaseEstimator]
    needs_scaling: bool = False
    resource: Resource | None = None
    why_unavailable: str | None = None
