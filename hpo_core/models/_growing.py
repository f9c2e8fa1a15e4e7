"""How models go on training: trees added to trees, epochs to epochs.

Each function brings an estimator from `before` units of its resource (0: untrained) to `after`. `fresh` is None while
the hyperparameters stay; else it is an untrained estimator with the new ones, which are taken over first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.utils import shuffle

_OWN = ("random_state", "warm_start")


def grow_trees(model: Any, x: Any, y: Any, before: int, after: int, fresh: Any = None) -> None:
    """Forests and boosting that count their trees as `n_estimators`."""
    _grow_warm(model, x, y, after, "n_estimators", fresh)


def grow_iterations(model: Any, x: Any, y: Any, before: int, after: int, fresh: Any = None) -> None:
    """Histogram boosting, which counts its trees as `max_iter`."""
    _grow_warm(model, x, y, after, "max_iter", fresh)


def grow_by_restart(model: Any, x: Any, y: Any, before: int, after: int, fresh: Any = None) -> None:
    """Epochs from the weights that are there, with the schedule of step sizes begun anew."""
    core, target = _core_of(model, y)
    if fresh is not None:
        _take_over(core, _inside(fresh))
    core.set_params(max_iter=after - before, warm_start=before > 0)
    core.fit(x, target)


def grow_network(model: Any, x: Any, y: Any, before: int, after: int, fresh: Any = None) -> None:
    """Epochs of a multi-layer perceptron, in the very steps of its own `fit`, optimiser and order of rows included.

    `partial_fit` begins every epoch with the rows in their given order, where `fit` goes on from the order of the last
    one. So the rows are handed over in the order of the last one, and that is kept with the model.
    """
    core, target = _core_of(model, y)
    if core.early_stopping:
        return grow_by_restart(model, x, y, before, after, fresh)
    if fresh is not None:
        _take_over(core, _inside(fresh))
        _tell_optimiser(core)
    for _ in range(before, after):
        if getattr(core, "_no_improvement_count", 0) > core.n_iter_no_change:
            return None
        _train_epoch(core, x, target)
    return None


def trains_in_one_go(model: Any) -> bool:
    """Whether a model must be trained without a break: early stopping counts from where training begins."""
    core = _inside(model)
    return bool(getattr(core, "early_stopping", getattr(core, "n_iter_no_change", None)))


def _train_epoch(core: Any, x: Any, target: Any) -> None:
    classes = {"classes": np.unique(target)} if is_classifier(core) else {}
    if not hasattr(core, "coefs_"):
        recorder = _Recorder(core.random_state)
        core.random_state = recorder
        core.partial_fit(x, target, **classes)
        order = recorder.last
        # A plain generator that goes on from there: the recorder does not survive a copy.
        core.random_state = np.random.RandomState()
        core.random_state.set_state(recorder.get_state())
    else:
        order = shuffle(core.order_of_rows_, random_state=_copied(core.random_state))
        core.partial_fit(x[core.order_of_rows_], target[core.order_of_rows_], **classes)
    core.order_of_rows_ = order


class _Recorder(np.random.RandomState):
    """Keeps what it shuffled last."""

    last: Any = None

    def shuffle(self, x: Any) -> None:
        super().shuffle(x)
        self.last = np.array(x)


def _copied(rng: Any) -> Any:
    copy = np.random.RandomState()
    copy.set_state(rng.get_state())
    return copy


def _tell_optimiser(core: Any) -> None:
    """An optimiser has copied its parameters when it was made (scikit-learn 1.9)."""
    optimiser = core._optimizer
    optimiser.learning_rate_init = optimiser.learning_rate = core.learning_rate_init
    if core.solver == "sgd":
        optimiser.momentum = core.momentum
    core._no_improvement_count = 0


def _grow_warm(model: Any, x: Any, y: Any, after: int, parameter: str, fresh: Any) -> None:
    if fresh is not None:
        if isinstance(model, (GradientBoostingClassifier, GradientBoostingRegressor)):
            if fresh.n_iter_no_change is not None:
                # When it goes on, scikit-learn 1.9 looks at what the first trees gained, not at the new ones.
                raise ValueError("it cannot go on with other hyperparameters while early stopping is on; turn it off")
            _rescale(model, model.learning_rate / fresh.learning_rate)
        _take_over(model, fresh)
    model.set_params(warm_start=True, **{parameter: after})
    model.fit(x, y)


def _rescale(model: Any, factor: float) -> None:
    """The trees that are there keep their weight: this kind of boosting multiplies all by its newest learning rate."""
    for tree in model.estimators_.ravel():
        tree.tree_.value[...] *= factor


def _take_over(core: Any, fresh: Any) -> None:
    core.set_params(**{name: value for name, value in fresh.get_params(deep=False).items() if name not in _OWN})


def _inside(model: Any) -> Any:
    return model.regressor if isinstance(model, TransformedTargetRegressor) else model


def _core_of(model: Any, y: Any) -> tuple[Any, Any]:
    """The estimator that trains, and its target: a wrapper that scales the target is fitted as its `fit` does."""
    if not isinstance(model, TransformedTargetRegressor):
        return model, y
    column = np.asarray(y, dtype=float).reshape(-1, 1)
    if not hasattr(model, "regressor_"):
        model._training_dim = 1  # what its `predict` asks for (scikit-learn 1.9)
        model.transformer_ = clone(model.transformer).fit(column)
        model.regressor_ = clone(model.regressor)
    return model.regressor_, model.transformer_.transform(column).ravel()
