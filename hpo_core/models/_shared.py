"""Parameters that several families have, with one range and one explanation, and what turns them into arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

from hpo_core.models._base import DataFacts, Resource
from hpo_core.models._growing import grow_trees
from hpo_core.space import AnyParameter, Categorical, Condition, Float, Int

TREES = Resource(parameter="n_estimators", noun="trees")
WARM_TREES = Resource(parameter="n_estimators", noun="trees", grow=grow_trees)


def n_trees(default: int = 100) -> Int:
    return Int(
        name="n_estimators",
        label="trees",
        explanation="How many trees are grown; more take longer, and steady a forest or let boosting go on.",
        low=10,
        high=500,
        default=default,
        log=True,
    )


def learning_rate(default: float = 0.1) -> Float:
    return Float(
        name="learning_rate",
        label="learning rate",
        explanation="How much each tree corrects those before it; higher learns faster and overfits sooner.",
        low=0.005,
        high=1.0,
        default=default,
        log=True,
    )


def depth_switch() -> tuple[Categorical, Int]:
    """`depth`, and `max_depth` where it is limited: the library's own default is no limit."""
    switch = Categorical(
        name="depth",
        label="depth",
        explanation="Whether a tree may grow until its leaves are pure, or only down to a depth that you choose.",
        choices=("unlimited", "limited"),
        default="unlimited",
    )
    limit = Int(
        name="max_depth",
        label="greatest depth",
        explanation="How many questions a tree may ask in a row; higher fits the training data closer.",
        low=1,
        high=30,
        default=10,
        when=Condition("depth", ("limited",)),
    )
    return switch, limit


def split_size(facts: DataFacts) -> Int:
    return Int(
        name="min_samples_split",
        label="rows to split",
        explanation="How many rows a node needs to be split; higher gives smaller, smoother trees.",
        low=2,
        high=max(2, min(64, facts.n_rows // 4)),
        default=2,
        log=True,
    )


def leaf_size(facts: DataFacts) -> Int:
    return Int(
        name="min_samples_leaf",
        label="rows in a leaf",
        explanation="How many rows every leaf must keep; higher gives smaller, smoother trees.",
        low=1,
        high=max(1, min(64, facts.n_rows // 4)),
        default=1,
        log=True,
    )


def feature_share(facts: DataFacts, default: float = 1.0) -> Float:
    """`max_features` as a share of the columns, from one column to all."""
    return Float(
        name="max_features",
        label="share of features",
        explanation="Share of the columns that a split may choose from; lower makes trees differ more.",
        low=_share(1, facts.n_features),
        high=1.0,
        default=default,
        log=True,
    )


def impurity(facts: DataFacts) -> tuple[Categorical, ...]:
    """One parameter for classification; the other criteria for regression are slow or need positive targets."""
    if facts.task == "regression":
        return ()
    criterion = Categorical(
        name="criterion",
        label="impurity",
        explanation="How mixed a node counts as: entropy minds rare classes a little more than gini does.",
        choices=("gini", "entropy"),
        default="gini",
    )
    return (criterion,)


def forest_parameters(facts: DataFacts, *, bootstrap: bool) -> tuple[AnyParameter, ...]:
    """All of a forest; `bootstrap` is the library's own default, which differs between the kinds of forest."""
    sampling = Categorical(
        name="bootstrap",
        label="row sampling",
        explanation="Whether each tree sees a random sample of the rows; on, trees differ more.",
        choices=(True, False),
        default=bootstrap,
    )
    sample = Float(
        name="max_samples",
        label="share of rows",
        explanation="Size of each tree's sample; lower makes trees differ more, higher makes each better.",
        low=0.1,
        high=1.0,
        default=1.0,
        when=Condition("bootstrap", (True,)),
    )
    share = _root_share(facts) if facts.task == "classification" else 1.0
    return (
        n_trees(),
        feature_share(facts, share),
        *impurity(facts),
        *depth_switch(),
        split_size(facts),
        leaf_size(facts),
        sampling,
        sample,
        *class_weight(facts),
    )


def boosted_depth(default: int) -> Int:
    return Int(
        name="max_depth",
        label="depth",
        explanation="How many questions a tree may ask in a row; higher lets more features act together.",
        low=1,
        high=12,
        default=default,
    )


def row_share() -> Float:
    return Float(
        name="subsample",
        label="share of rows",
        explanation="Share of the rows that each tree sees; lower is faster and steadies against noise.",
        low=0.2,
        high=1.0,
        default=1.0,
    )


def column_share(facts: DataFacts) -> Float:
    return Float(
        name="colsample_bytree",
        label="share of features",
        explanation="Share of the columns that each tree sees; lower makes trees differ more.",
        low=min(1.0, max(0.1, _share(1, facts.n_features))),
        high=1.0,
        default=1.0,
    )


def n_leaves(name: str) -> Int:
    return Int(
        name=name,
        label="leaves",
        explanation="How many leaves a tree may have; higher lets more features act together, and overfits sooner.",
        low=2,
        high=255,
        default=31,
        log=True,
    )


def boosted_leaf_size(name: str) -> Int:
    return Int(
        name=name,
        label="rows in a leaf",
        explanation="How many rows every leaf must keep; higher gives smaller, smoother trees.",
        low=1,
        high=100,
        default=20,
        log=True,
    )


def shrinkage(name: str, label: str, *, high: float = 10.0) -> Float:
    return Float(
        name=name,
        label=label,
        explanation="How hard large leaf values are punished; higher makes every step more cautious.",
        low=0.0,
        high=high,
        default=0.0,
    )


def class_weight(facts: DataFacts) -> tuple[Categorical, ...]:
    """One parameter for classification, none for regression."""
    if facts.task == "regression":
        return ()
    weight = Categorical(
        name="class_weight",
        label="class weights",
        explanation="balanced counts a rare class as much as a frequent one; None counts every row the same.",
        choices=(None, "balanced"),
        default=None,
    )
    return (weight,)


def l1_alpha(facts: DataFacts) -> Float:
    """`alpha` of lasso and elastic net, in units of the target: above the target's deviation every weight is zero."""
    scale = power_of_ten(facts.target_scale) if facts.target_scale > 0 else 1.0
    return Float(
        name="alpha",
        label="alpha",
        explanation="How hard weights are punished; higher drops more features, up to predicting the mean.",
        low=min(0.1, 1e-4 * scale),
        high=max(10.0, scale),
        default=1.0,
        log=True,
    )


def tree_arguments(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the `depth` switch: a missing `max_depth` is scikit-learn's None."""
    return {name: value for name, value in configuration.items() if name != "depth"}


def with_scaled_target(regressor: BaseEstimator) -> BaseEstimator:
    """The regressor trained on a standardised target, for those whose step sizes and tolerances suppose one.

    Without it gradients of a target in the thousands blow up, and an epsilon of 0.1 means nothing.
    """
    return TransformedTargetRegressor(regressor=regressor, transformer=StandardScaler())


def beyond_rows(most: int) -> Callable[[DataFacts], bool]:
    """For families whose fit takes long when there are many rows."""
    return lambda facts: facts.n_rows > most


def beyond_cells(most: int) -> Callable[[DataFacts], bool]:
    """For families that go through every cell of the table for every tree, and for every class of several."""
    return lambda facts: facts.n_rows * facts.n_features * (facts.n_classes if facts.n_classes > 2 else 1) > most


def power_of_ten(value: float) -> float:
    """The lowest power of ten that is at least `value`, for ranges that read well."""
    return float(f"1e{math.ceil(math.log10(value) - 1e-9)}")


def _share(count: int, total: int) -> float:
    """The smallest share of four digits that scikit-learn, which rounds down, turns back into `count` of `total`."""
    count, total = max(count, 1), max(total, 1)
    step = 10.0 ** (math.floor(math.log10(count / total)) - 3)
    share = math.ceil(count / total / step) * step
    if int(share * total) < count:
        share += step
    return min(float(f"{share:.4g}"), 1.0)


def _root_share(facts: DataFacts) -> float:
    """The share of the columns that max_features="sqrt" looks at."""
    return _share(math.isqrt(facts.n_features), facts.n_features)
