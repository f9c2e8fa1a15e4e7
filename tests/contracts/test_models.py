"""Every model family keeps its word: defaults of the library, legal ranges, one thread, and it learns."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from hpo_core.models import MODELS, DataFacts, with_scaled_target
from hpo_core.preparation import preparation
from hpo_core.space import SearchSpace

KEYS = {
    *("logistic_regression", "linear_regression", "ridge", "lasso", "elastic_net", "svm", "nearest_neighbours"),
    *("decision_tree", "random_forest", "extra_trees", "hist_gradient_boosting", "gradient_boosting", "ada_boost"),
    *("sgd", "neural_network", "naive_bayes", "xgboost", "lightgbm", "kernel_ridge", "automl", "architecture"),
}
CASES = [(family, task) for family in MODELS for task in family.tasks]
over_cases = pytest.mark.parametrize(("family", "task"), CASES, ids=[f"{f.key}-{t}" for f, t in CASES])
over_resources = pytest.mark.parametrize(
    ("family", "task"), [c for c in CASES if c[0].resource], ids=[f"{f.key}-{t}" for f, t in CASES if f.resource]
)
over_classes = pytest.mark.parametrize(
    ("family", "task", "n_classes"),
    [(f, t, k) for f, t in CASES for k in ((2, 3) if t == "classification" else (0,))],
    ids=lambda value: getattr(value, "key", str(value)),
)
over_families = pytest.mark.parametrize("family", list(MODELS), ids=MODELS.keys)


def table(task, n_classes=2, n_rows=120):
    """Eight numbers, two of which matter, a flag and a category, with gaps."""
    if task == "classification":
        X, y = make_classification(
            n_rows, 8, n_informative=4, n_classes=n_classes, class_sep=2.0, flip_y=0.0, random_state=1
        )
    else:
        X, y = make_regression(n_rows, 8, n_informative=3, noise=1.0, random_state=1)
        y = 50_000 + 300 * y  # a price, say: far from 0 and far from 1
    features = pd.DataFrame(X, columns=[f"x{i}" for i in range(8)])
    features["flag"] = X[:, 0] > 0
    features["level"] = np.where(X[:, 1] > 0, "high", "low")
    features.loc[::9, "x7"] = np.nan
    return features, y


def facts_of(family, task, features, y):
    matrix = preparation(features, scale=family.needs_scaling).fit_transform(features)
    return DataFacts(
        task=task,
        n_rows=len(y),
        n_features=matrix.shape[1],
        n_classes=len(np.unique(y)) if task == "classification" else 0,
        feature_variance=float(matrix.var()),
        target_scale=float(np.std(y)) if task == "regression" else 1.0,
    )


def learned(family, configuration, facts, features, y, seed=0):
    """A fitted pipeline. Training that ends early may say so; any other warning is an error."""
    prepared = preparation(features, **family.preparation_of(configuration))
    model = make_pipeline(prepared, family.build(configuration, facts, seed))
    with warnings.catch_warnings(), threadpool_limits(1):  # as in the lab: on busy cores threads fight
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, y)


def inner(estimator):
    """The estimator that the parameters belong to."""
    return estimator.regressor if isinstance(estimator, TransformedTargetRegressor) else estimator


def library_default(estimator):
    """The same estimator as the library makes it when nothing is said; seed, threads and talk apart."""
    given = inner(estimator).get_params(deep=False)
    kept = {name: given[name] for name in ("random_state", "n_jobs", "verbosity") if name in given}
    default = type(inner(estimator))(**kept)
    return with_scaled_target(default) if isinstance(estimator, TransformedTargetRegressor) else default


def test_every_family_of_the_lab_is_there():
    assert set(MODELS.keys) == KEYS


@over_families
def test_what_a_family_says_of_itself_is_complete(family):
    assert family.key.isidentifier()
    assert family.label
    assert 20 < len(family.purpose) <= 120
    assert family.purpose.endswith(".")
    assert any(part.strip().isdigit() and len(part.strip()) == 4 for part in family.source.split(",")), "no year"
    assert family.tasks
    assert set(family.tasks) <= {"classification", "regression"}
    assert family.why_unavailable is None, "the tests need all optional libraries"


@over_cases
def test_every_parameter_says_what_turning_it_up_does(family, task):
    space = family.space(DataFacts(task=task, n_rows=200, n_features=10, n_classes=3))
    assert len(space)
    assert len({p.title for p in space.parameters}) == len(space)
    for p in space.parameters:
        assert p.label
        assert len(p.label) <= 25
        assert 20 <= len(p.explanation) <= 120
        assert p.explanation.endswith(".")


@over_cases
@pytest.mark.parametrize(("n_rows", "n_features"), [(1, 1), (2, 1), (7, 3), (40, 2000), (1437, 64), (10**6, 20)])
def test_space_is_legal_for_any_data(family, task, n_rows, n_features):
    for scale in (0.0, 1e-3, 1.0, 1e6):
        facts = DataFacts(
            task=task, n_rows=n_rows, n_features=n_features, n_classes=3, feature_variance=scale, target_scale=scale
        )
        space = family.space(facts)
        assert space.check(space.default()) == space.default()
        assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
        assert set(space.distributions()) == set(space.names)


@over_cases
def test_default_predicts_as_the_library_does(family, task):
    features, y = table(task, n_classes=3, n_rows=150)
    facts = facts_of(family, task, features, y)
    ours = learned(family, family.space(facts).default(), facts, features, y)
    default = replace(family, build=lambda *_: library_default(ours[-1]))
    theirs = learned(default, {}, facts, features, y)
    np.testing.assert_allclose(ours.predict(features), theirs.predict(features), atol=1e-3 * np.ptp(y))
    if hasattr(ours, "decision_function"):
        scores = ours.decision_function(features), theirs.decision_function(features)
        np.testing.assert_allclose(*scores, rtol=1e-2, atol=1e-3)


@over_cases
def test_default_arguments_are_the_library_s_own(family, task):
    facts = DataFacts(task=task, n_rows=500, n_features=12, n_classes=3)
    space = family.space(facts)
    ours = family.build(space.default(), facts, 0)
    theirs = inner(library_default(ours)).get_params()
    # What is a name or None in the library and a number here; that they mean the same is tested by the predictions.
    translated = {"gamma", "batch_size", "max_features", "max_samples", "n_layers", "units_1", "depth"}
    translated |= {"family", "scaler", "selection", "units_2", "early_stopping"}
    is_explicit = family.key == "xgboost" or family.key == "ada_boost"
    for full_name, value in space.default().items():
        name = full_name.rpartition(".")[2]  # those of a family among several carry its name
        if name not in translated and not (is_explicit and theirs.get(name) is None):
            assert inner(ours).get_params()[name] == theirs[name] == value, name


@over_classes
def test_random_configurations_fit_and_predict(family, task, n_classes):
    features, y = table(task, n_classes)
    facts = facts_of(family, task, features, y)
    space = family.space(facts)
    rng = np.random.default_rng(7)
    for point in rng.random((5, len(space))):
        configuration = space.from_unit(point)
        assert space.check(configuration) == configuration
        model = learned(family, configuration, facts, features, y)
        predictions = model.predict(features)
        assert predictions.shape == y.shape
        if task == "regression":
            assert np.isfinite(predictions).all(), configuration
        else:
            assert set(predictions) <= set(y)


@over_cases
def test_default_beats_a_dummy_on_rows_it_has_not_seen(family, task):
    features, y = table(task, n_rows=300)
    train, valid = slice(0, 200), slice(200, 300)
    facts = facts_of(family, task, features[train], y[train])
    model = learned(family, family.space(facts).default(), facts, features[train], y[train])
    dummy = DummyClassifier() if task == "classification" else DummyRegressor()
    dummy.fit(features[train], y[train])
    assert model.score(features[valid], y[valid]) > dummy.score(features[valid], y[valid]) + 0.2


@over_cases
def test_same_seed_gives_the_same_model(family, task):
    features, y = table(task)
    facts = facts_of(family, task, features, y)
    space = family.space(facts)
    configuration = space.from_unit(np.full(len(space), 0.45))
    first, second = (learned(family, configuration, facts, features, y, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.predict(features), second.predict(features))


@over_cases
def test_fits_in_one_thread_where_the_library_asks(family, task):
    facts = DataFacts(task=task, n_rows=100, n_features=5, n_classes=2)
    model = inner(family.build(family.space(facts).default(), facts, 5))
    arguments = model.get_params()
    if "n_jobs" in arguments and not isinstance(model, LogisticRegression):  # there it is deprecated and without effect
        assert arguments["n_jobs"] == 1
    if "random_state" in arguments:
        assert arguments["random_state"] == 5


@over_resources
def test_resource_is_a_whole_number_of_the_estimator_and_of_the_space(family, task):
    facts = DataFacts(task=task, n_rows=100, n_features=5, n_classes=2)
    space = family.space(facts)
    default = space[family.resource.parameter].default
    assert isinstance(default, int)
    assert inner(family.build(space.default(), facts, 0)).get_params()[family.resource.parameter] == default
    assert family.resource.noun in ("trees", "epochs")


@over_cases
def test_conditions_are_respected(family, task):
    space = family.space(DataFacts(task=task, n_rows=200, n_features=10, n_classes=3))
    points = np.random.default_rng(0).random((1500, len(space)))
    configurations = [space.from_unit(point) for point in points]
    for p in space.parameters:
        is_active = [p.name in configuration for configuration in configurations]
        assert any(is_active), p.name
        assert all(is_active) == (p.when is None), p.name
        if p.when:
            assert is_active == [p.when.holds(configuration) for configuration in configurations]


@over_cases
def test_features_may_be_read_only(family, task):
    features, y = table(task)
    plain = features[["x0", "x1", "x2"]]
    facts = facts_of(family, task, plain, y)
    matrix = preparation(plain, scale=False).fit_transform(plain)
    assert not matrix.flags.writeable
    learned(family, family.space(facts).default(), facts, plain, y)


@over_cases
def test_widest_values_fit_on_a_handful_of_rows(family, task):
    features, y = table(task, n_rows=120)
    facts = facts_of(family, task, features, y)
    configuration = family.space(facts).from_unit(np.full(len(family.space(facts)), 0.999))
    learned(family, configuration, replace(facts, n_rows=24), features[:24], y[:24]).predict(features)
