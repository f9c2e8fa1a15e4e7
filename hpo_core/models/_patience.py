"""Early stopping: training that ends when it no longer gains on rows held out for that.

Source: L. Prechelt, 1998, Early Stopping - But When?
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if

from hpo_core.models._base import DataFacts
from hpo_core.space import AnyParameter, Categorical, Condition, Int

HELD_OUT = 0.1  # scikit-learn's own share of the training rows


def early_stopping(
    facts: DataFacts, noun: str, *, name: str = "n_iter_no_change", patience: int = 10, is_on: bool = False
) -> tuple[AnyParameter, ...]:
    """The switch `early_stopping`, and how long it waits; nothing where a tenth of the rows cannot hold every class.

    Args:
        facts: The data.
        noun: What is counted: trees or epochs.
        name: The library's own name of the patience.
        patience: Its default.
        is_on: Whether the library stops early when nothing is said.
    """
    if math.ceil(HELD_OUT * facts.n_rows) < max(2, facts.n_classes):
        return ()
    switch = Categorical(
        name="early_stopping",
        label="early stopping",
        explanation="Whether training stops when it no longer gains on a tenth of the rows, held out for that.",
        choices=(False, True),
        default=is_on,
    )
    wait = Int(
        name=name,
        label="patience",
        explanation=f"How many {noun} without gain are waited for; higher stops later.",
        low=2,
        high=50,
        default=patience,
        log=True,
        when=Condition("early_stopping", (True,)),
    )
    return switch, wait


def _has_probabilities(model: Any) -> bool:
    return hasattr(model.estimator, "predict_proba")


class StoppedEarly(BaseEstimator):  # type: ignore[misc]
    """A boosting model that is shown the rows held out, for libraries that leave holding out to the caller.

    Args:
        estimator: A model whose `fit` takes an `eval_set`, and which predicts with its best round.
        fit_arguments: What else its `fit` is given.
    """

    def __init__(self, estimator: BaseEstimator, fit_arguments: Mapping[str, Any] | None = None) -> None:
        self.estimator = estimator
        self.fit_arguments = fit_arguments

    def fit(self, X: Any, y: Any) -> Self:
        kept, held, kept_y, held_y = train_test_split(
            X,
            y,
            test_size=HELD_OUT,
            random_state=self.estimator.get_params()["random_state"],
            stratify=y if is_classifier(self.estimator) else None,
        )
        self.estimator_ = clone(self.estimator)
        with warnings.catch_warnings():
            # LightGBM 4.7 asks for eval_X and eval_y, but encodes the classes of an eval_set alone.
            warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")
            self.estimator_.fit(kept, kept_y, eval_set=[(held, held_y)], **(self.fit_arguments or {}))
        return self

    def predict(self, X: Any) -> Any:
        return self.estimator_.predict(X)

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(X)

    @property
    def classes_(self) -> Any:
        return self.estimator_.classes_

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()
