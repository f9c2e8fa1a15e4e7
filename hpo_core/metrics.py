"""Metrics: how a fitted model is scored on rows that it has not seen, and which direction is better.

The common metrics carry plain names; every other scikit-learn scorer works by its own name. Errors and losses are
positive numbers to be minimised: the sign of scikit-learn's `neg_...` scorers is turned back.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

from hpo_core.datasets import Task
from hpo_core.errors import UsageError

Direction = Literal["minimize", "maximize"]
Needs = Literal["labels", "scores", "probabilities"]
Score = Callable[[NDArray[Any], NDArray[Any], int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """How to score predictions.

    Attributes:
        name: Key on the command line, in URLs and in studies.
        label: Name on screen.
        explanation: One plain sentence: what it measures.
        direction: Whether lower or higher is better.
        tasks: Where it applies.
        needs: What it takes from the model: labels (or numbers), one score per class, or probabilities.
        score: `score(target, prediction, n_classes)`.
    """

    name: str
    label: str
    explanation: str
    direction: Direction
    tasks: tuple[Task, ...]
    needs: Needs
    score: Score

    def evaluate(self, estimator: Any, features: Any, target: NDArray[Any], n_classes: int) -> float:
        """Score of a fitted estimator on these rows."""
        return float(self.score(target, _predicted(estimator, features, self.needs, n_classes), n_classes))

    def why_unavailable(self, estimator: Any, task: Task, target: NDArray[Any]) -> str | None:
        """A sentence why this metric cannot score this untrained estimator on this target, or None."""
        if task not in self.tasks:
            return f"{self.label} is a metric for {' and '.join(self.tasks)}; these data are a {task} problem."
        if self.needs == "probabilities" and not hasattr(estimator, "predict_proba"):
            return f"{self.label} needs probabilities, which this model does not give. Choose another metric or model."
        if fault := _rehearse(self.score, self.needs, task, target):
            return f"{self.label} cannot score these data: {fault}. Choose another metric."
        return None


def ideal_score(metric: Metric) -> float | None:
    """The score of perfect predictions, which none can beat; None where it is not known: of scikit-learn's own scorers.

    >>> ideal_score(METRICS[0])
    1.0
    """
    if metric not in METRICS:
        return None
    return 1.0 if metric.direction == "maximize" else 0.0


def ideal_of_name(name: str) -> float | None:
    """The score that none can beat, by the name of a metric; None for names of other things, such as heights.

    >>> ideal_of_name("log_loss"), ideal_of_name("height")
    (0.0, None)
    """
    found = next((metric for metric in METRICS if metric.name == name), None)
    return None if found is None else ideal_score(found)


def _rehearse(score: Score, needs: Needs, task: Task, target: NDArray[Any]) -> str:
    """What a score raises for predictions as good as they can be without a model; "" when it works."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if task == "regression":
                score(target, np.full(len(target), target.mean()), 0)
            else:
                n_classes = int(target.max()) + 1
                score(target, target if needs == "labels" else np.eye(n_classes)[target], n_classes)
        except ValueError as fault:
            return str(fault).strip().splitlines()[0].rstrip(".")
    return ""


def _predicted(estimator: Any, features: Any, needs: Needs, n_classes: int) -> NDArray[Any]:
    if needs == "labels":
        return np.asarray(estimator.predict(features))
    # As scikit-learn's scorers do: probabilities may be rounded to 1 where distances to the border still differ.
    has_margin = hasattr(estimator, "decision_function")
    if needs == "scores" and has_margin and (n_classes == 2 or not hasattr(estimator, "predict_proba")):
        return _full_width(np.asarray(estimator.decision_function(features)), estimator.classes_, n_classes, -np.inf)
    return _full_width(np.asarray(estimator.predict_proba(features)), estimator.classes_, n_classes, 0.0)


def _full_width(scores: NDArray[Any], classes: NDArray[Any], n_classes: int, absent: float) -> NDArray[Any]:
    """One column per class, also for classes that no training row held; one column stays one for two classes."""
    if len(classes) == n_classes:
        return scores
    if scores.ndim == 1:
        scores = np.column_stack([-scores, scores])[:, -len(classes) :]
    wide = np.full((len(scores), n_classes), absent)
    wide[:, np.asarray(classes, dtype=int)] = scores
    return wide


def _f1(y: NDArray[Any], p: NDArray[Any], n_classes: int) -> float:
    if n_classes == 2:
        return float(sk.f1_score(y, p, pos_label=1, zero_division=0.0))
    return float(sk.f1_score(y, p, average="macro", zero_division=0.0))


def _log_loss(y: NDArray[Any], p: NDArray[Any], n_classes: int) -> float:
    clipped = np.clip(p, np.finfo(float).eps, 1.0)
    clipped = clipped / clipped.sum(axis=1, keepdims=True)
    return float(-np.log(clipped[np.arange(len(y)), y]).mean())


def _one_vs_rest(score: Callable[..., Any]) -> Score:
    """A ranking metric of two classes, averaged over one class against the rest for each class present."""

    def averaged(y: NDArray[Any], p: NDArray[Any], n_classes: int) -> float:
        if n_classes == 2:
            return float(score(y, p if p.ndim == 1 else p[:, 1])) if len(np.unique(y)) == 2 else float("nan")
        truth = label_binarize(y, classes=np.arange(n_classes))
        present = [k for k in range(n_classes) if 0 < truth[:, k].sum() < len(y)]
        finite = np.nan_to_num(p, neginf=float(np.finfo(np.float32).min))
        return float(np.mean([score(truth[:, k], finite[:, k]) for k in present])) if present else float("nan")

    return averaged


def _plain(score: Callable[..., Any]) -> Score:
    return lambda y, p, _: float(score(y, p))


_CLASSES: tuple[Task, ...] = ("classification",)
_NUMBERS: tuple[Task, ...] = ("regression",)


def _metric(
    name: str, label: str, direction: Direction, tasks: tuple[Task, ...], needs: Needs, score: Score, explanation: str
) -> Metric:
    return Metric(
        name=name, label=label, explanation=explanation, direction=direction, tasks=tasks, needs=needs, score=score
    )


# The first metric of a task is its default.
METRICS: tuple[Metric, ...] = (
    _metric(
        "accuracy", "accuracy", "maximize", _CLASSES, "labels", _plain(sk.accuracy_score),
        "Share of rows whose class is predicted right.",
    ),
    _metric(
        "balanced_accuracy", "balanced accuracy", "maximize", _CLASSES, "labels", _plain(sk.balanced_accuracy_score),
        "Share predicted right in each class, averaged over the classes, so that rare classes count as much.",
    ),
    _metric(
        "f1", "F1", "maximize", _CLASSES, "labels", _f1,
        "Harmonic mean of precision and recall; of the second class for two classes, averaged over classes for more.",
    ),
    _metric(
        "roc_auc", "ROC AUC", "maximize", _CLASSES, "scores", _one_vs_rest(sk.roc_auc_score),
        "Chance that a row of the class is ranked above one of another class; averaged one against the rest.",
    ),
    _metric(
        "log_loss", "log loss", "minimize", _CLASSES, "probabilities", _log_loss,
        "How surprised the predicted probabilities are by the true classes; punishes confident errors.",
    ),
    _metric(
        "average_precision", "average precision", "maximize", _CLASSES, "scores",
        _one_vs_rest(sk.average_precision_score),
        "Area under the precision-recall curve; averaged one against the rest. For rare classes.",
    ),
    _metric(
        "r2", "R²", "maximize", _NUMBERS, "labels", _plain(sk.r2_score),
        "Share of the target's variance that is explained; 0 is no better than the mean.",
    ),
    _metric(
        "mae", "MAE", "minimize", _NUMBERS, "labels", _plain(sk.mean_absolute_error),
        "Mean absolute error, in the target's unit.",
    ),
    _metric(
        "rmse", "RMSE", "minimize", _NUMBERS, "labels", _plain(sk.root_mean_squared_error),
        "Root mean squared error, in the target's unit; large errors weigh more.",
    ),
)  # fmt: skip


def default_metric(task: Task) -> Metric:
    """Accuracy for classification, R² for regression."""
    return next(m for m in METRICS if task in m.tasks)


def find_metric(name: str) -> Metric:
    """The metric of this name: one of ours, else scikit-learn's scorer.

    Raises:
        UsageError: There is no such metric.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    if name not in sk.get_scorer_names():
        raise UsageError(
            f"There is no metric {name!r}; there are {', '.join(m.name for m in METRICS)}, "
            "and every scikit-learn scorer by its name."
        )
    return _from_scorer(name)


def _from_scorer(name: str) -> Metric:
    """Wraps a scikit-learn scorer; its private fields are what `make_scorer` was given (scikit-learn 1.9)."""
    scorer: Any = sk.get_scorer(name)
    function, response = scorer._score_func, scorer._response_method
    wants = (response,) if isinstance(response, str) else tuple(response)
    needs: Needs = "labels" if "predict" in wants else "scores" if "decision_function" in wants else "probabilities"

    takes_labels = needs != "labels" and "labels" in inspect.signature(function).parameters

    def score(y: NDArray[Any], p: NDArray[Any], n_classes: int) -> float:
        p = p[:, 1] if needs != "labels" and p.ndim == 2 and n_classes == 2 else p
        # A fold may lack a class, which probabilities of all classes do not show by themselves.
        labels = {"labels": np.arange(n_classes)} if takes_labels and n_classes > 2 else {}
        return float(function(y, p, **scorer._kwargs, **labels))

    return Metric(
        name=name,
        label=name.removeprefix("neg_").replace("_", " "),
        explanation=f"scikit-learn's scorer {name}.",
        direction="maximize" if scorer._sign > 0 else "minimize",
        tasks=_NUMBERS if _takes_numbers(score) else _CLASSES,
        needs=needs,
        score=score,
    )


def _takes_numbers(score: Score) -> bool:
    """Whether a score is one for regression: those for classes refuse numbers, or warn of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            score(np.array([0.5, 1.5, 2.25]), np.array([0.25, 1.5, 2.5]), 0)
        except (ValueError, Warning):
            return False
    return True
