from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from hpo_core.errors import DataError
from tests.small_tables import RNG, N, load, notes, table


def test_million_unique_categories_are_left_out_as_an_identifier():
    n = 1_000_000
    frame = pd.DataFrame(
        {"x": np.arange(n) % 7, "who": pd.Series(np.arange(n)).astype("str") + "a", "y": np.arange(n) % 2}
    )
    dataset = load(frame)
    assert dataset.features.columns.tolist() == ["x"]
    assert "identifier has: who" in notes(dataset)


def test_many_categories_that_repeat_are_kept_and_said():
    dataset = load(table(who=[f"name {i // 2 * (i > 1)}" for i in range(60)], what=[f"n{i % 55}" for i in range(60)]))
    assert "what" in dataset.features
    assert "what has 55 different texts in 60 rows; it looks like an identifier" in notes(dataset)


@pytest.mark.parametrize("name", ["id", "Customer ID", "row_id", "index", "Unnamed: 0", ""])
def test_whole_numbers_that_never_repeat_under_the_name_of_an_identifier_are_left_out(name: str):
    dataset = load(pd.DataFrame({name: RNG.permutation(N), "x": range(0, 2 * N, 2), "y": [0, 1] * 30}))
    assert dataset.features.columns.tolist() == ["x"]


@pytest.mark.parametrize("name", ["paid", "grid", "valid"])
def test_names_that_end_like_id_are_no_identifiers(name: str):
    assert name in load(table(**{name: range(N)})).features


def test_row_numbers_under_another_name_are_kept_and_said():
    dataset = load(table(week=range(N)))
    assert "week" in dataset.features
    assert "Counts the rows one by one" in notes(dataset)


def test_constant_column_is_kept_and_said():
    dataset = load(table(z=5))
    assert "z" in dataset.features
    assert "same value in every row, so of no help: z" in notes(dataset)


def test_empty_column_is_left_out_and_said():
    dataset = load(table(z=np.nan, w=None))
    assert dataset.features.columns.tolist() == ["x"]
    assert "every value is missing: z, w" in notes(dataset)


def test_table_without_usable_feature_is_refused():
    with pytest.raises(DataError, match="No usable feature"):
        load(pd.DataFrame({"z": [np.nan] * N, "y": [0, 1] * 30}))


def test_infinite_features_become_missing_and_are_counted():
    dataset = load(table(z=[np.inf, -np.inf, *range(N - 2)]))
    assert dataset.features["z"].isna().sum() == 2
    assert "2 infinite values in z" in notes(dataset)


def test_missing_features_are_counted():
    assert "Missing: 3 values in z." in load(table(z=[np.nan] * 3 + [1.0] * 57)).notes


def test_numbers_mixed_with_text_become_text_and_are_said():
    dataset = load(table(z=[1, "n/k", 2.5] * 20))
    assert isinstance(dataset.features["z"].dtype, pd.StringDtype)
    assert "z mixes numbers and text, such as 'n/k'" in notes(dataset)


def test_numbers_stored_as_text_stay_categories_and_are_said():
    assert "z holds numbers that are stored as text" in notes(load(table(z=["01", "02"] * 30)))


def test_repeated_rows_are_counted():
    frame = pd.concat([table(), table().head(0)])
    assert "repeat" not in notes(load(frame))
    assert "5 rows repeat earlier rows" in notes(load(pd.concat([frame, frame.head(5)])))


def test_same_features_with_another_target_are_no_repeated_row():
    assert "repeat" not in notes(load(pd.DataFrame({"x": np.repeat(range(30), 2), "y": [0, 1] * 30})))


def test_every_kind_of_column_is_made_plain():
    frame = table(
        small=pd.Series(range(N), dtype="int8"),
        nullable=pd.Series([1, None] * 30, dtype="Int64"),
        truth=pd.Series([True, None, False] * 20, dtype="boolean"),
        category=pd.Categorical([3, 4] * 30),
        string=pd.Series(["u", "v"] * 30, dtype="string"),
        span=pd.to_timedelta([90, 30] * 30, unit="s"),
        zone=pd.date_range("2024-01-01 12:00", periods=N, tz="Asia/Tokyo"),
        day=[date(2024, 1, 1), None] * 30,
        money=[Decimal("1.5"), Decimal(2)] * 30,
        sparse=pd.arrays.SparseArray([0, 1] * 30),
        lists=[[1], [2]] * 30,
        period=pd.period_range("2024-01", periods=2, freq="M").repeat(30),
    )
    features = load(frame).features
    assert features.drop(columns="x").dtypes.astype(str).to_dict() == {
        "small": "int8",
        "nullable": "float64",
        "truth": "float64",
        "category": "str",
        "string": "str",
        "span": "float64",
        "zone": "datetime64[us]",
        "day": "datetime64[us]",
        "money": "float64",
        "sparse": "int64",
        "lists": "str",
        "period": "str",
    }
    assert features["zone"][0] == pd.Timestamp("2024-01-01 03:00")
    assert features["span"][0] == 90.0


def test_column_names_that_are_no_text_become_text():
    frame = pd.DataFrame({0: RNG.normal(size=N), ("a", 1): 1.5, "y": ["no", "yes"] * 30})
    assert load(frame).features.columns.tolist() == ["0", "('a', 1)"]


def test_duplicate_names_are_refused():
    frame = table(z=1)
    frame.columns = ["x", "y", "x"]
    with pytest.raises(DataError, match="same name: x"):
        load(frame)
