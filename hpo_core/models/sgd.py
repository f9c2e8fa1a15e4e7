"""Linear models trained by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import SGDClassifier, SGDRegressor

from hpo_core.models import DataFacts, ModelFamily, Resource, class_weight, early_stopping, with_scaled_target
from hpo_core.models._growing import grow_by_restart
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    is_regression = facts.task == "regression"
    return SearchSpace(
        (
            *(_regression_loss() if is_regression else (_classification_loss(),)),
            *_penalty(),
            *_steps(facts),
            _epochs(),
            _average(),
            *class_weight(facts),
            *early_stopping(facts, "epochs", patience=5),
        )
    )


def _classification_loss() -> Categorical:
    return Categorical(
        name="loss",
        label="loss",
        explanation="What counts as an error: hinge as in a linear SVM, log_loss as in logistic regression.",
        choices=("hinge", "log_loss", "modified_huber"),
        default="hinge",
    )


def _regression_loss() -> tuple[Categorical, Float]:
    loss = Categorical(
        name="loss",
        label="loss",
        explanation="What counts as an error: huber and epsilon_insensitive mind outliers less than squared_error.",
        choices=("squared_error", "huber", "epsilon_insensitive"),
        default="squared_error",
    )
    epsilon = Float(
        name="epsilon",
        label="epsilon",
        explanation="Where the loss changes its shape, in standard deviations of the target; higher tolerates more.",
        low=1e-3,
        high=2.0,
        default=0.1,
        log=True,
        when=Condition("loss", ("huber", "epsilon_insensitive")),
    )
    return loss, epsilon


def _penalty() -> tuple[Categorical, Float, Float]:
    penalty = Categorical(
        name="penalty",
        label="penalty",
        explanation="l2 shrinks all weights, l1 also drops features, elasticnet mixes both.",
        choices=("l2", "l1", "elasticnet"),
        default="l2",
    )
    ratio = Float(
        name="l1_ratio",
        label="L1 share",
        explanation="Share of the penalty that is L1; higher drops more features.",
        low=0.0,
        high=1.0,
        default=0.15,
        when=Condition("penalty", ("elasticnet",)),
    )
    alpha = Float(
        name="alpha",
        label="alpha",
        explanation="How hard large weights are punished; higher gives a flatter, steadier model.",
        low=1e-7,
        high=1e-1,
        default=1e-4,
        log=True,
    )
    return penalty, ratio, alpha


def _steps(facts: DataFacts) -> tuple[Categorical, Float, Float]:
    is_regression = facts.task == "regression"
    # The "optimal" schedule is made for classification losses; with a squared loss its first steps blow up.
    schedules = ("invscaling", "constant", "adaptive")
    schedule = Categorical(
        name="learning_rate",
        label="schedule",
        explanation="How the step shrinks: optimal and invscaling all along, adaptive where progress stops.",
        choices=schedules if is_regression else ("optimal", *schedules),
        default="invscaling" if is_regression else "optimal",
    )
    start = Float(
        name="eta0",
        label="first step",
        explanation="Size of the first steps; higher learns faster, up to where training bursts.",
        low=1e-5,
        high=_largest_step(facts),
        default=0.01,
        log=True,
        when=None if is_regression else Condition("learning_rate", schedules),
    )
    decay = Float(
        name="power_t",
        label="decay",
        explanation="How fast the step size shrinks; higher settles sooner, perhaps too soon.",
        low=0.05,
        high=0.95,
        default=0.25 if is_regression else 0.5,
        when=Condition("learning_rate", ("invscaling",)),
    )
    return schedule, start, decay


def _largest_step(facts: DataFacts) -> float:
    """One step on a squared loss overshoots above 2 / |x|², and |x|² of a standardised row is about its length."""
    return float(f"{min(1.0, max(0.02, 1 / max(facts.n_features, 1))):.2g}")


def _epochs() -> Int:
    return Int(
        name="max_iter",
        label="epochs",
        explanation="How often the rows are gone through at most; training stops before when it no longer gains.",
        low=5,
        high=2000,
        default=1000,
        log=True,
    )


def _average() -> Categorical:
    return Categorical(
        name="average",
        label="averaging",
        explanation="Whether the weights are averaged over all steps; on, the result is steadier.",
        choices=(False, True),
        default=False,
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    if facts.task == "classification":
        return SGDClassifier(random_state=seed, n_jobs=1, **configuration)
    return with_scaled_target(SGDRegressor(random_state=seed, **configuration))


sgd = ModelFamily(
    key="sgd",
    label="SGD",
    purpose="A linear model trained row by row; the choice for very many rows, and touchy about its step size.",
    source="L. Bottou, 2010, Large-Scale Machine Learning with Stochastic Gradient Descent",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    resource=Resource(
        parameter="max_iter",
        noun="epochs",
        grow=grow_by_restart,
        trains_in_one_go=lambda model: True,
        changeable=("alpha", "eta0", "l1_ratio", "power_t", "epsilon"),
    ),
    cost=1,
)
