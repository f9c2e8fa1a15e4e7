import numpy as np
import pandas as pd
import pytest

from hpo_core.errors import DataError
from tests.small_tables import RNG, N, load, notes, table


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (["a", "b"] * 30, "classification"),
        ([True, False] * 30, "classification"),
        ([0, 1] * 30, "classification"),
        ([0.0, 1.0] * 30, "classification"),
        (pd.Categorical([1, 2, 3] * 20), "classification"),
        (list(range(6)) * 10, "classification"),
        (list(range(12)) * 5, "regression"),
        ([0.5, 1.5] * 30, "regression"),
        (list(range(60)), "regression"),
    ],
)
def test_task_follows_from_the_target(target: list[object], task: str):
    assert load(table(t=target), "t").task == task


def test_more_than_twenty_whole_numbers_are_a_regression():
    frame = pd.DataFrame({"x": RNG.normal(size=2_100), "t": list(range(21)) * 100})
    assert load(frame, "t").task == "regression"


def test_whole_numbers_taken_as_classes_are_said():
    assert "taken as classes" in notes(load(table(t=[0, 1, 2] * 20), "t"))
    assert "taken as classes" not in notes(load(table(t=[0, 1, 2] * 20), "t", task="classification"))


def test_numbers_can_be_made_classes():
    dataset = load(table(t=list(range(30)) * 2), "t", task="classification")
    assert dataset.n_classes == 30


def test_classes_that_are_numbers_can_be_made_a_regression():
    dataset = load(table(t=[0, 1] * 30), "t", task="regression")
    assert dataset.target.dtype == np.float64
    assert dataset.classes == ()


def test_regression_of_text_is_refused_with_an_example():
    with pytest.raises(DataError, match="holds text, such as 'no', so it cannot be used for regression"):
        load(table(), task="regression")


def test_regression_of_numbers_stored_as_text_is_taken():
    dataset = load(table(t=[str(i) for i in range(N)]), "t", task="regression")
    np.testing.assert_array_equal(dataset.target, range(N))


def test_target_of_dates_is_refused():
    with pytest.raises(DataError, match="dates"):
        load(table(t=pd.date_range("2024-01-01", periods=N)), "t")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([10, 9, 2], ("2", "9", "10")),
        ([1.0, -1.0, 0.0], ("-1", "0", "1")),
        (["class 10", "class 2", "Class 1"], ("Class 1", "class 2", "class 10")),
        ([True, False, True], ("False", "True")),
        (["10", "9", "none"], ("9", "10", "none")),
        (["b", "A", "ä"], ("A", "b", "ä")),
    ],
)
def test_classes_stand_in_natural_order(labels: list[object], classes: tuple[str, ...]):
    dataset = load(table(t=labels * 20), "t", task="classification")
    assert dataset.classes == classes
    assert dataset.target.dtype == np.int64
    assert [dataset.classes[c] for c in dataset.target[:3]] == [str(v).removesuffix(".0") for v in labels]


def test_rows_without_a_target_are_left_out_counted_and_said():
    frame = table()
    frame.loc[[3, 7], "y"] = None
    dataset = load(frame)
    assert dataset.n_rows == len(dataset.target) == N - 2
    assert "2 rows without a target were left out." in dataset.notes
    np.testing.assert_array_equal(dataset.features["x"], frame["x"].drop([3, 7]))
    assert dataset.features.index.equals(pd.RangeIndex(N - 2))


def test_rows_with_an_infinite_target_are_left_out_counted_and_said():
    dataset = load(table(t=[np.inf, -np.inf, np.nan, *np.linspace(0, 1, N - 3)]), "t")
    assert dataset.n_rows == N - 3
    assert np.isfinite(dataset.target).all()
    assert "2 rows with an infinite target were left out." in dataset.notes
    assert "1 row without a target was left out." in dataset.notes


@pytest.mark.parametrize("value", ["always", 3, 2.5, True])
def test_constant_target_is_refused(value: object):
    with pytest.raises(DataError, match=f"{value} in every row"):
        load(table(t=value), "t")


@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_target_without_any_value_is_refused(value: object):
    with pytest.raises(DataError, match="no value in any row"):
        load(table(t=[value] * N), "t")


def test_class_of_one_row_is_left_out_and_named():
    dataset = load(table(t=["rare", *["a", "b"] * 29, "a"]), "t")
    assert dataset.classes == ("a", "b")
    assert dataset.n_rows == N - 1
    assert "these have one: rare" in notes(dataset)


def test_two_classes_of_which_one_has_a_single_row_are_refused():
    with pytest.raises(DataError, match="2 classes, of which 1 in a single row"):
        load(table(t=["rare", *["a"] * (N - 1)]), "t")


def test_target_that_never_repeats_is_no_class():
    with pytest.raises(DataError, match="60 classes, of which 60"):
        load(table(t=[f"name {i}" for i in range(N)]), "t")


def test_too_many_classes_are_refused():
    frame = pd.DataFrame({"x": range(2_002), "t": [f"k{i // 2}" for i in range(2_002)]})
    with pytest.raises(DataError, match="1,001 classes"):
        load(frame, "t")


def test_fewer_than_ten_rows_are_refused():
    with pytest.raises(DataError, match="9 rows with a target; at least 10"):
        load(table().head(9))
    assert load(table().head(10)).n_rows == 10
