"""Problems: their values against scikit-learn's, their identity, and what they refuse."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hpo_core.errors import ConfigurationError, DataError, FitError, UsageError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.problem import ProblemSpec, make_problem, open_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule
from hpo_core.space import Int

_ROOT = Path(__file__).parents[2]


def _scores(problem, configuration):
    return [problem.fit(configuration, fold).score for fold in range(problem.n_folds)]


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80), "b": rng.choice(["x", "y"], 80), "g": [i % 8 for i in range(80)]})
    frame["y"] = np.where(frame["a"] + rng.normal(size=80) > 0, "yes", "no")
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def test_default_svm_scores_as_cross_val_score_on_the_same_folds():
    problem = make_problem("iris", "svm")
    default = problem.space.default()
    theirs = make_pipeline(StandardScaler(), SVC(gamma=default["gamma"]))
    x, y = problem.data.features.to_numpy(), problem.data.target
    expected = cross_val_score(theirs, x, y, cv=list(problem.split.folds))
    assert _scores(problem, default) == pytest.approx(expected.tolist())
    assert problem.value(tuple(_scores(problem, default))) == pytest.approx(expected.mean())
    scaled = cross_val_score(make_pipeline(StandardScaler(), SVC()), x, y, cv=list(problem.split.folds))
    assert expected.mean() == pytest.approx(scaled.mean(), abs=0.01)


def test_default_random_forest_scores_as_cross_val_score_on_the_same_folds():
    problem = make_problem("wine", "random_forest", "balanced_accuracy", protocol=Protocol(folds=3))
    expected = cross_val_score(
        RandomForestClassifier(random_state=0),
        problem.data.features.to_numpy(),
        problem.data.target,
        cv=list(problem.split.folds),
        scoring="balanced_accuracy",
    )
    assert _scores(problem, problem.space.default()) == pytest.approx(expected.tolist())


@pytest.mark.parametrize("model", ["random_forest", "neural_network", "sgd"])
def test_a_fit_is_a_pure_function(model):
    problem = make_problem("iris", model, protocol=Protocol(folds=3))
    default = problem.space.default()
    before = problem.data.features.copy()
    first = problem.fit(default, 0)
    problem.fit(problem.space.completed({}), 1)
    again = problem.fit(default, 0)
    assert (again.score, again.train_score, again.model_bytes) == (first.score, first.train_score, first.model_bytes)
    pd.testing.assert_frame_equal(problem.data.features, before)


def test_secondary_figures_are_kept():
    result = make_problem("iris", "random_forest").fit({**make_problem("iris", "random_forest").space.default()}, 0)
    assert result.train_score == 1.0
    assert result.fit_seconds > 0
    assert result.predict_seconds > 0
    assert result.model_bytes > 10_000


@pytest.mark.parametrize(("model", "parameter"), [("random_forest", "n_estimators"), ("neural_network", "max_iter")])
def test_resource_share_shrinks_trees_and_epochs(model, parameter):
    problem = make_problem("iris", model)
    configuration = problem.space.completed({parameter: 100})
    steps = [problem.pipeline(configuration, share)[-1].get_params()[parameter] for share in (1.0, 0.25, 0.001)]
    assert steps == [100, 25, 1]


def test_resource_share_shrinks_rows_where_a_model_has_no_steps():
    problem = make_problem("iris", "nearest_neighbours")
    most = problem.space["n_neighbors"].high
    configuration = problem.space.completed({"n_neighbors": most})
    whole, part = problem.fit(configuration, 0), problem.fit(configuration, 0, Schedule(0.1))
    assert part.model_bytes < whole.model_bytes
    assert problem.fit(configuration, 0, Schedule(0.1)).score == part.score


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_impossible_share_is_refused(share):
    problem = make_problem("iris", "svm")
    with pytest.raises(UsageError, match="share above 0 and at most 1"):
        problem.fit(problem.space.default(), 0, Schedule(share))


def test_wrong_configuration_is_refused_before_it_is_fitted():
    with pytest.raises(ConfigurationError, match="C must lie from"):
        make_problem("iris", "svm").fit({"C": -1.0, "kernel": "linear", "class_weight": None}, 0)


@settings(max_examples=30)
@given(
    st.builds(
        ProblemSpec,
        data=st.sampled_from(["iris", "a file.csv"]),
        model=st.sampled_from(["svm", ""]),
        metric=st.sampled_from(["", "f1"]),
        target=st.sampled_from([None, "y"]),
        task=st.sampled_from([None, "regression"]),
        protocol=st.builds(Protocol, folds=st.integers(2, 9), repeats=st.integers(1, 3), seed=st.integers(0, 5)),
        noise=st.floats(0, 1),
        space=st.sampled_from([None, tuple(LANDSCAPES["branin"].space.to_json())]),
        data_hash=st.text("0123456789abcdef", max_size=8),
    )
)
def test_specification_survives_json(spec):
    assert ProblemSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    "row", [{}, {"data": "iris"}, {"data": "iris", "protocol": {"folds": "many"}}, {"data": "iris", "colour": "red"}]
)
def test_what_describes_no_problem_is_refused(row):
    with pytest.raises(UsageError, match="does not describe a problem"):
        ProblemSpec.from_json(row)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no_such_data", "svm"), "no file and no bundled data set 'no_such_data'"),
        (("iris", "vsm"), "no model 'vsm'"),
        (("iris", ""), "needs a model; there are"),
        (("iris", "lasso"), "Lasso.* does regression only; these data are a classification problem"),
        (("iris", "svm", "r2"), "metric for regression"),
        (("iris", "svm", "log_loss"), "needs probabilities"),
        (("iris", "svm", "precision"), "cannot score these data"),
        (("branin", "svm"), "takes no model"),
        (("branin", "", "accuracy"), "scored by its height"),
    ],
)
def test_parts_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        make_problem(*arguments)


def test_landscape_takes_no_target_and_no_negative_noise():
    with pytest.raises(UsageError, match="no target column"):
        make_problem("branin", target="y")
    with pytest.raises(UsageError, match="at least 0"):
        make_problem("branin", noise=-1.0)


def test_landscape_without_noise_is_seen_once_and_exactly():
    problem = make_problem("branin")
    landscape = LANDSCAPES["branin"]
    assert (problem.n_folds, problem.direction) == (1, "minimize")
    for minimiser in landscape.minimisers:
        assert problem.fit(minimiser, 0).score == pytest.approx(landscape.minimum, abs=1e-4)


def test_landscape_with_noise_is_seen_through_independent_looks_that_are_the_same_again():
    problem = make_problem("branin", noise=0.5, protocol=Protocol(folds=50))
    exact = make_problem("branin").fit(problem.space.default(), 0).score
    looks = np.array(_scores(problem, problem.space.default()))
    assert looks.tolist() == _scores(problem, problem.space.default())
    assert looks.std(ddof=1) == pytest.approx(0.5 * LANDSCAPES["branin"].scale, rel=0.4)
    assert abs(looks.mean() - exact) < 4 * looks.std() / np.sqrt(50)
    other = make_problem("branin", noise=0.5, protocol=Protocol(folds=50, seed=1))
    assert _scores(other, other.space.default()) != looks.tolist()


@pytest.fixture
def one_sided(tmp_path):
    """Folds in time order: the first trains on one class only, the last validates on one class only."""
    target = ["no"] * 20 + ["no", "yes"] * 14 + ["yes"] * 32
    path = tmp_path / "one_sided.csv"
    pd.DataFrame({"a": np.random.default_rng(0).normal(size=80), "y": target}).to_csv(path, index=False)
    protocol = Protocol(kind="time", folds=4, test_fraction=0.25)
    return make_problem(str(path), "svm", "roc_auc", target="y", protocol=protocol)


def test_score_that_is_no_number_fails_the_fit_with_a_sentence(one_sided):
    with pytest.raises(FitError, match="ROC AUC is not a finite number here"):
        one_sided.fit(one_sided.space.default(), 3)


def test_model_that_cannot_be_trained_fails_the_fit_with_a_sentence(one_sided):
    with pytest.raises(FitError, match=r"could not be fitted: .*class"):
        one_sided.fit(one_sided.space.default(), 0)


def test_file_is_found_from_another_working_directory(file, tmp_path, monkeypatch):
    monkeypatch.chdir(file.parent)
    problem = make_problem("table.csv", "svm", target="y")
    assert problem.spec.data == str(file)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = open_problem(ProblemSpec.from_json(json.loads(json.dumps(problem.spec.to_json()))))
    assert again.fingerprint == problem.fingerprint


def test_changed_file_is_read_again_and_refused_where_its_scores_would_not_compare(file):
    problem = make_problem(str(file), "svm", target="y")
    frame = pd.read_csv(file)
    frame.loc[0, "a"] += 1.0
    frame.to_csv(file, index=False)
    os.utime(file, ns=(0, 0))
    assert make_problem(str(file), "svm", target="y").data.hash != problem.data.hash
    with pytest.raises(DataError, match="have changed since this problem was made"):
        open_problem(problem.spec)


def test_column_of_groups_is_not_a_feature(file):
    problem = make_problem(str(file), "svm", target="y", protocol=Protocol(kind="grouped", column="g", folds=3))
    pipeline = problem.pipeline(problem.space.default())
    assert "g" not in [*pipeline[0].numbers, *pipeline[0].categories]


def test_space_of_the_specification_replaces_the_models_own():
    own = make_problem("iris", "random_forest")
    narrowed = own.space.with_parameter(replace(own.space["n_estimators"], low=50, high=60, default=55))
    child = open_problem(replace(own.spec, space=tuple(narrowed.to_json())))
    assert isinstance(child.space["n_estimators"], Int)
    assert child.space == narrowed
    # The same fit is the same fit in both, so that it is not done twice.
    same = own.space.completed({"n_estimators": 55})
    assert child.fit_key(same, 0) == own.fit_key(same, 0)


def test_fit_key_tells_apart_what_changes_a_score_and_nothing_else():
    problem = make_problem("iris", "svm")
    default = problem.space.default()
    keys = {
        problem.fit_key(default, 0),
        problem.fit_key(default, 1),
        problem.fit_key(default, 0, Schedule(0.5)),
        problem.fit_key({**default, "C": 2.0}, 0),
        make_problem("wine", "svm").fit_key(default, 0),
        make_problem("iris", "svm", "f1").fit_key(default, 0),
        make_problem("iris", "svm", protocol=Protocol(seed=1)).fit_key(default, 0),
        make_problem("iris", "svm", protocol=Protocol(folds=4)).fit_key(default, 0),
    }
    assert len(keys) == 8
    assert problem.fit_key(dict(reversed(default.items())), 0) in keys


def test_another_process_gives_the_same_key_and_the_same_score():
    problem = make_problem("iris", "random_forest", protocol=Protocol(folds=3))
    script = (
        "import json, sys\n"
        "from hpo_core.problem import ProblemSpec, open_problem\n"
        "problem = open_problem(ProblemSpec.from_json(json.load(sys.stdin)))\n"
        "default = problem.space.default()\n"
        "print(json.dumps([problem.fit_key(default, 0), problem.fit(default, 0).score]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(problem.spec.to_json()), capture_output=True, text=True,
        cwd=_ROOT, check=True,
    )  # fmt: skip
    default = problem.space.default()
    assert json.loads(done.stdout) == [problem.fit_key(default, 0), problem.fit(default, 0).score]
