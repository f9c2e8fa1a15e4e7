"""Metrics against scikit-learn's own scorers, and what happens where those stumble."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVC

from hpo_core.errors import UsageError
from hpo_core.metrics import METRICS, default_metric, find_metric, ideal_score


def _classes(n_classes, seed=0):
    x, y = make_classification(
        300, 8, n_informative=5, n_classes=n_classes, flip_y=0.2, weights=[0.6] if n_classes == 2 else None,
        random_state=seed,
    )  # fmt: skip
    return x[:200], y[:200], x[200:], y[200:]


def _numbers():
    x, y = make_regression(200, 5, noise=20.0, random_state=1)
    return x[:150], y[:150], x[150:], y[150:]


def _theirs(name, estimator, x, y):
    scorer = sk.get_scorer(name)
    return scorer._sign * scorer(estimator, x, y)


@pytest.mark.parametrize("model", [LogisticRegression(C=1e4, max_iter=2000), RandomForestClassifier(random_state=0)])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("f1", "f1"),
        ("roc_auc", "roc_auc"),
        ("log_loss", "neg_log_loss"),
        ("average_precision", "average_precision"),
    ],
)
def test_two_classes_are_scored_as_scikit_learn_does(model, ours, theirs):
    x, y, x_new, y_new = _classes(2)
    model.fit(x, y)
    assert find_metric(ours).evaluate(model, x_new, y_new, 2) == pytest.approx(_theirs(theirs, model, x_new, y_new))


@pytest.mark.parametrize("model", [LogisticRegression(max_iter=2000), RandomForestClassifier(random_state=0)])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("f1", "f1_macro"),
        ("roc_auc", "roc_auc_ovr"),
        ("log_loss", "neg_log_loss"),
        ("average_precision", "average_precision"),
    ],
)
def test_several_classes_are_scored_as_scikit_learn_does(model, ours, theirs):
    x, y, x_new, y_new = _classes(4)
    model.fit(x, y)
    if theirs == "average_precision":
        expected = sk.average_precision_score(np.eye(4)[y_new], model.predict_proba(x_new), average="macro")
    else:
        expected = _theirs(theirs, model, x_new, y_new)
    assert find_metric(ours).evaluate(model, x_new, y_new, 4) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("r2", "r2"), ("mae", "neg_mean_absolute_error"), ("rmse", "neg_root_mean_squared_error")],
)
def test_numbers_are_scored_as_scikit_learn_does(ours, theirs):
    x, y, x_new, y_new = _numbers()
    model = LinearRegression().fit(x, y)
    assert find_metric(ours).evaluate(model, x_new, y_new, 0) == pytest.approx(_theirs(theirs, model, x_new, y_new))


def test_ranking_uses_distances_where_probabilities_are_rounded_to_one():
    x = np.linspace(-1, 1, 60)[:, None]
    y = (x[:, 0] > 0).astype(int)
    model = LogisticRegression(C=1e12, max_iter=5000).fit(x, y)
    far = np.array([[900.0], [1000.0], [1100.0], [1200.0]])
    assert len(np.unique(model.predict_proba(far)[:, 1])) == 1
    assert find_metric("roc_auc").evaluate(model, far, np.array([0, 0, 1, 1]), 2) == 1.0


@pytest.mark.parametrize("n_classes", [2, 3])
def test_models_with_distances_only_are_ranked_by_them(n_classes):
    x, y, x_new, y_new = _classes(n_classes)
    model = SVC().fit(x, y)
    scores = model.decision_function(x_new)
    truth = np.eye(n_classes)[y_new]
    expected = sk.roc_auc_score(y_new if n_classes == 2 else truth, scores)
    assert find_metric("roc_auc").evaluate(model, x_new, y_new, n_classes) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["accuracy", "f1", "roc_auc", "average_precision", "log_loss", "neg_log_loss"])
@pytest.mark.parametrize("seen", [[0, 2], [0, 1, 2]])
def test_fold_that_lacks_a_class_in_training_or_validation_is_scored(name, seen):
    x, y, x_new, y_new = _classes(4)
    known = np.isin(y, seen)
    model = RandomForestClassifier(random_state=0).fit(x[known], y[known])
    few = np.isin(y_new, [0, 1])
    score = find_metric(name).evaluate(model, x_new[few], y_new[few], 4)
    assert np.isfinite(score)


@pytest.mark.parametrize("seen", [[0, 2], [0, 1, 2]])
def test_distances_of_a_fold_that_lacks_a_class_are_ranked(seen):
    x, y, x_new, y_new = _classes(4)
    known = np.isin(y, seen)
    model = SVC().fit(x[known], y[known])
    assert 0.3 < find_metric("roc_auc").evaluate(model, x_new, y_new, 4) < 1.0


def test_validation_rows_of_one_class_have_no_ranking():
    x, y, x_new, y_new = _classes(2)
    model = RandomForestClassifier(random_state=0).fit(x, y)
    one = y_new == 1
    assert np.isnan(find_metric("roc_auc").evaluate(model, x_new[one], y_new[one], 2))


def test_log_loss_of_a_class_never_seen_is_large_but_finite():
    x, y, x_new, y_new = _classes(3)
    model = RandomForestClassifier(random_state=0).fit(x[y != 2], y[y != 2])
    loss = find_metric("log_loss").evaluate(model, x_new[y_new == 2], y_new[y_new == 2], 3)
    assert loss == pytest.approx(-np.log(np.finfo(float).eps))


def test_directions_and_tasks():
    assert {m.name: m.direction for m in METRICS if m.direction == "minimize"} == {
        "log_loss": "minimize", "mae": "minimize", "rmse": "minimize",
    }  # fmt: skip
    assert default_metric("classification").name == "accuracy"
    assert default_metric("regression").name == "r2"


@pytest.mark.parametrize("name", ["neg_mean_absolute_percentage_error", "neg_max_error", "neg_median_absolute_error"])
def test_scorers_with_a_turned_sign_are_turned_back(name):
    x, y, x_new, y_new = _numbers()
    model = LinearRegression().fit(x, y)
    metric = find_metric(name)
    assert metric.direction == "minimize"
    assert not metric.label.startswith("neg")
    assert metric.evaluate(model, x_new, y_new, 0) == pytest.approx(-sk.get_scorer(name)(model, x_new, y_new))


@pytest.mark.filterwarnings("ignore:'k':sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_scorer_of_scikit_learn_works_or_says_why_not(n_classes):
    """Where it works it gives what scikit-learn gives; where it does not, scikit-learn cannot either."""
    x, y, x_new, y_new = _classes(n_classes)
    model = LogisticRegression(max_iter=2000).fit(x, y)
    for name in sk.get_scorer_names():
        metric = find_metric(name)
        if metric.why_unavailable(model, "classification", y) is None and metric not in METRICS:
            expected = _theirs(name, model, x_new, y_new)
            assert metric.evaluate(model, x_new, y_new, n_classes) == pytest.approx(expected), name
            assert metric.direction == ("maximize" if sk.get_scorer(name)._sign > 0 else "minimize")


@pytest.mark.parametrize(
    ("name", "model", "task", "target", "words"),
    [
        ("log_loss", SVC(), "classification", [0, 1], "log loss needs probabilities, which this model does not give"),
        ("neg_brier_score", SVC(), "classification", [0, 1], "needs probabilities"),
        ("accuracy", SVC(), "regression", [0.5, 1.5], "metric for classification; these data are a regression problem"),
        ("rmse", SVC(), "classification", [0, 1], "metric for regression; these data are a classification problem"),
        ("precision", SVC(), "classification", [0, 1, 2], "precision cannot score these data: Target is multiclass"),
        ("neg_mean_squared_log_error", SVC(), "regression", [-5.0, 2.0], "cannot score these data"),
        ("f1_samples", SVC(), "classification", [0, 1], "cannot score these data"),
        ("neg_mean_squared_error", SVC(), "classification", [0, 1], "metric for regression"),
        ("rand_score", SVC(), "regression", [0.5, 1.5], "metric for classification"),
    ],
)
def test_metric_that_cannot_score_says_why(name, model, task, target, words):
    assert words in find_metric(name).why_unavailable(model, task, np.array(target * 2))


def test_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="no metric 'acuracy'; there are accuracy, balanced_accuracy"):
        find_metric("acuracy")


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_perfect_predictions_score_the_ideal(metric):
    if "regression" in metric.tasks:
        target, perfect = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 4.0])
    else:
        target = np.array([0, 1, 1, 0])
        perfect = target if metric.needs == "labels" else np.eye(2)[target]
    assert metric.score(target, perfect, 2) == pytest.approx(ideal_score(metric), abs=1e-9)


def test_ideal_of_a_scorer_of_the_library_is_not_known():
    assert ideal_score(find_metric("jaccard")) is None
