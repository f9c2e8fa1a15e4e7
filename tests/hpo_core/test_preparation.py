"""Mixed tables become dense numbers, whatever is in them, and nothing of the validation rows leaks."""

import datetime
import decimal
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from hpo_core.errors import DataError
from hpo_core.preparation import kind_of, preparation


def prepared(table, scale=False):
    """The prepared training table by output column."""
    step = preparation(table, scale=scale)
    values = step.fit_transform(table)
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert values.shape == (len(table), len(step.get_feature_names_out()))
    return dict(zip(step.get_feature_names_out(), values.T.tolist(), strict=True))


def numbers(n=50, d=4):
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(3, 2, (n, d)), columns=[f"x{i}" for i in range(d)])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series([1.5, 2.0]), "number"),
        (pd.Series([1, None], dtype="Int64"), "number"),
        (pd.Series([1, 2], dtype="uint8"), "number"),
        (pd.Series([1.0, None], dtype="float64[pyarrow]"), "number"),
        (pd.Series([1, None, 2.5], dtype=object), "number"),
        (pd.Series([decimal.Decimal("1.5"), None], dtype=object), "number"),
        (pd.Series([None, None], dtype=object), "number"),
        (pd.Series(pd.to_timedelta([1, 2], unit="s")), "number"),
        (pd.Series([1.0, 0.0]).astype("Sparse[float]"), "number"),
        (pd.Series([True, False]), "flag"),
        (pd.Series([True, None], dtype="boolean"), "flag"),
        (pd.Series([True, None], dtype=object), "flag"),
        (pd.Series([True, None], dtype="bool[pyarrow]"), "flag"),
        (pd.Series(pd.to_datetime(["2020-01-01", None])), "date"),
        (pd.Series(pd.date_range("2020", periods=2, tz="Asia/Tokyo")), "date"),
        (pd.Series(pd.period_range("2020-01", periods=2, freq="M")), "date"),
        (pd.Series([datetime.date(2020, 1, 1), None], dtype=object), "date"),
        (pd.Series([datetime.date(2020, 1, 1), None], dtype="date32[pyarrow]"), "date"),
        (pd.Series(["a", None]), "category"),
        (pd.Series(["1", "2"]), "category"),
        (pd.Series(["a", 1, None], dtype=object), "category"),
        (pd.Series([[1], {}], dtype=object), "category"),
        (pd.Series([True, False]).astype("category"), "category"),
        (pd.Series([1 + 2j]), "category"),
        (pd.Series(["a"], dtype="string[pyarrow]"), "category"),
    ],
)
def test_every_kind_of_column_is_recognised_and_prepared(values, kind):
    assert kind_of(values) == kind
    for scale in (False, True):
        prepared(pd.DataFrame({"x": values}), scale=scale)


def test_gap_in_a_number_is_filled_with_the_median_and_marked():
    columns = prepared(pd.DataFrame({"x": [1.0, 2.0, None, 30.0], "y": [1, 2, 3, 4]}))
    assert columns == {"x": [1, 2, 2, 30], "y": [1, 2, 3, 4], "x is missing": [0, 0, 1, 0]}


def test_infinite_values_count_as_missing():
    columns = prepared(pd.DataFrame({"x": [1.0, np.inf, 3.0, -np.inf]}))
    assert columns == {"x": [1, 2, 3, 2], "x is missing": [0, 1, 0, 1]}


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT])
def test_every_spelling_of_missing_is_a_gap(gap):
    table = pd.DataFrame({"x": pd.Series([1, gap, 3], dtype=object), "t": pd.Series(["a", gap, "b"], dtype=object)})
    columns = prepared(table)
    assert columns["x"] == [1, 2, 3]
    assert columns["x is missing"] == columns["t is missing"] == [0, 1, 0]


def test_nullable_numbers_and_booleans_keep_their_values():
    table = pd.DataFrame({"i": pd.array([1, None, 3], dtype="Int64"), "b": pd.array([True, None, True], "boolean")})
    columns = prepared(table)
    assert columns["i"] == [1, 2, 3]
    assert columns["b"] == [1, 1, 1]
    assert columns["b is missing"] == [0, 1, 0]


def test_booleans_stay_0_and_1_when_numbers_are_standardised():
    columns = prepared(pd.DataFrame({"b": [True, False, True], "x": [1.0, 2.0, 3.0]}), scale=True)
    assert columns["b"] == [1, 0, 1]
    assert columns["x"] == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])


def test_numbers_of_monstrous_size_fit_in_the_float32_of_trees():
    table = pd.DataFrame({"x": [1e308, -1e308, 0.0, 1.0]})
    for scale in (False, True):
        values = preparation(table, scale=scale).fit_transform(table)
        DecisionTreeRegressor().fit(values, [1, 2, 3, 4])


def test_timedelta_becomes_seconds():
    assert prepared(pd.DataFrame({"t": pd.to_timedelta([1, 90, 3600], unit="s")}))["t"] == [1, 90, 3600]


def test_date_becomes_its_parts():
    columns = prepared(pd.DataFrame({"d": pd.to_datetime(["1970-01-02 12:00", "2024-02-29 00:00"])}))
    assert columns == {
        "d (year)": [1970, 2024],
        "d (month)": [1, 2],
        "d (day of week)": [4, 3],
        "d (hour)": [12, 0],
        "d (days)": [1.5, 19782],
    }


def test_missing_date_is_filled_and_marked():
    columns = prepared(pd.DataFrame({"d": pd.to_datetime(["2020-01-01", None, "2020-01-03"])}))
    assert columns["d (days)"][1] == columns["d (days)"][0] + 1
    assert columns["d (days) is missing"] == [0, 1, 0]


def test_date_with_a_time_zone_is_read_on_its_own_clock():
    columns = prepared(pd.DataFrame({"d": pd.to_datetime(["2020-01-01 23:30"]).tz_localize("Asia/Tokyo")}))
    assert columns["d (hour)"] == [23]


def test_category_becomes_one_column_a_level_and_one_for_missing():
    columns = prepared(pd.DataFrame({"c": ["b", "a", None, "b"]}))
    assert columns == {"c = b": [1, 0, 0, 1], "c = a": [0, 1, 0, 0], "c is missing": [0, 0, 1, 0]}


def test_rare_levels_share_a_column():
    common = [f"level {i}" for i in range(29)]
    table = pd.DataFrame({"c": common * 3 + ["rare", "rarer", "rare"]})
    step = preparation(table, scale=False)
    values = step.fit_transform(table)
    assert list(step.get_feature_names_out()) == [f"c = {level}" for level in common] + ["c is other"]
    assert values[-3:, -1].tolist() == [1, 1, 1]
    assert values.sum() == len(table)


def test_a_million_unique_texts_take_one_column():
    table = pd.DataFrame({"c": [f"id {i}" for i in range(1_000_000)]})
    assert preparation(table, scale=False).fit_transform(table).shape == (1_000_000, 1)


def test_level_unknown_in_training_has_no_column():
    train, validation = pd.DataFrame({"c": ["a", "b"]}), pd.DataFrame({"c": ["z", "a", None]})
    step = preparation(train, scale=False).fit(train)
    assert step.transform(validation).tolist() == [[0, 0], [1, 0], [0, 0]]


def test_level_unknown_in_training_is_other_where_there_is_such_a_column():
    train = pd.DataFrame({"c": [f"level {i}" for i in range(40)] * 2})
    step = preparation(train, scale=False).fit(train)
    assert step.transform(pd.DataFrame({"c": ["new", None]}))[:, -1].tolist() == [1, 0]


def test_categories_that_differ_between_folds_are_matched_by_text():
    train = pd.DataFrame({"c": pd.Categorical(["x", "y", "x"], categories=["y", "x", "unused"])})
    validation = pd.DataFrame({"c": pd.Categorical(["y"], categories=["a", "y"])})
    step = preparation(train, scale=False).fit(train)
    assert list(step.get_feature_names_out()) == ["c = x", "c = y"]
    assert step.transform(validation).tolist() == [[0, 1]]


def test_constant_and_empty_columns_break_nothing():
    table = pd.DataFrame(
        {
            "constant": [7.1] * 3,
            "empty": [np.nan] * 3,
            "none": pd.Series([None] * 3, dtype=object),
            "text": pd.Series([None] * 3, dtype="str"),
            "date": pd.Series([pd.NaT] * 3, dtype="datetime64[ns]"),
            "level": ["a"] * 3,
        }
    )
    columns = prepared(table, scale=True)
    assert columns["constant"] == pytest.approx([0, 0, 0])
    assert columns["empty"] == [0, 0, 0]
    assert columns["text is missing"] == columns["level = a"] == [1, 1, 1]


def test_statistics_come_from_training_rows_only():
    table = pd.DataFrame({"x": [1.0, 2.0, None, 4.0, 1e6, None], "c": ["a", "b", "a", "b", "c", "d"]})
    train, validation = table.iloc[:4], table.iloc[4:]
    step = preparation(table, scale=True).fit(train)
    assert list(step.get_feature_names_out()) == ["x", "x is missing", "c = a", "c = b"]
    assert step.transform(train)[:, 0].mean() == pytest.approx(0)
    assert step.transform(validation)[1].tolist() == [step.transform(train)[2, 0], 1, 0, 0]
    other = preparation(train, scale=True).fit(train)
    np.testing.assert_array_equal(step.transform(validation), other.transform(validation))


def test_gap_that_only_validation_rows_have_is_filled_with_the_training_mean():
    train, validation = pd.DataFrame({"x": [1.0, 2.0, 6.0]}), pd.DataFrame({"x": [np.nan, np.inf, 4.0]})
    assert preparation(train, scale=False).fit(train).transform(validation).tolist() == [[3], [3], [4]]


def test_plain_numbers_are_handed_on_without_a_copy():
    table = numbers()
    assert np.shares_memory(preparation(table, scale=False).fit_transform(table), table.to_numpy())


def test_plain_numbers_are_standardised_as_scikit_learn_does():
    table = numbers().assign(constant=0.1)
    expected = StandardScaler().fit_transform(table.to_numpy())
    np.testing.assert_allclose(preparation(table, scale=True).fit_transform(table), expected, atol=1e-12)


def test_preparing_leaves_the_table_as_it_was():
    table = pd.DataFrame({"x": [1.0, np.inf, None], "c": ["a", None, "b"]})
    before = table.copy(deep=True)
    preparation(table, scale=True).fit_transform(table)
    pd.testing.assert_frame_equal(table, before)


def test_columns_are_taken_by_name_not_by_place():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0], "c": ["a", "b"]})
    step = preparation(table, scale=False).fit(table)
    np.testing.assert_array_equal(step.transform(table[["c", "y", "x"]]), step.transform(table))


def test_table_without_a_column_of_training_is_refused_by_its_name():
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    step = preparation(table, scale=False).fit(table)
    with pytest.raises(DataError, match="no column 'y'"):
        step.transform(table[["x"]])


def test_text_met_later_in_a_column_of_numbers_is_a_gap():
    train = pd.DataFrame({"x": [1.0, 2.0, 6.0]})
    later = pd.DataFrame({"x": ["2.5", "n/a"]})
    assert preparation(train, scale=False).fit(train).transform(later).tolist() == [[2.5], [3]]


def test_clone_and_pickle_give_the_same_preparation():
    table = pd.DataFrame({"x": [1.0, None, 3.0], "c": ["a", "b", "a"]})
    step = preparation(table, scale=True).fit(table)
    for copy in (clone(step).fit(table), pickle.loads(pickle.dumps(step))):
        np.testing.assert_array_equal(copy.transform(table), step.transform(table))


def test_fit_then_transform_equals_fit_transform():
    table = pd.DataFrame({"x": [1.0, None, 3.0], "c": ["a", None, "a"], "d": pd.date_range("2020", periods=3)})
    np.testing.assert_array_equal(
        preparation(table, scale=True).fit(table).transform(table),
        preparation(table, scale=True).fit_transform(table),
    )


def test_column_of_tiny_numbers_comes_out_finite():
    assert prepared(pd.DataFrame({"x": [1.6e-199, 0.0]}), scale=True)["x"] == pytest.approx([0.0, 0.0])


@settings(max_examples=60)
@given(
    data_frames(
        [
            column("number", elements=st.floats()),
            column("text", elements=st.one_of(st.none(), st.text(max_size=3)), dtype=object),
            column("mixed", elements=st.one_of(st.none(), st.integers(), st.booleans(), st.dates()), dtype=object),
            column("date", elements=st.datetimes(), dtype=object),
        ]
    ),
    st.booleans(),
)
def test_any_table_with_a_row_comes_out_finite(table, scale):
    if len(table):
        prepared(table, scale=scale)


def chosen(table, **arguments):
    """The prepared training table by output column, in another way than the usual."""
    step = preparation(table, **arguments)
    values = step.fit_transform(table)
    np.testing.assert_array_equal(values, step.transform(table))
    return dict(zip(step.get_feature_names_out(), values.T.tolist(), strict=True))


@pytest.mark.parametrize(("fill", "value"), [("median", 2.0), ("mean", 4.0), ("most_frequent", 1.0)])
def test_gaps_are_filled_as_asked(fill, value):
    table = pd.DataFrame({"x": [1.0, 1.0, 3.0, 11.0, np.nan]})
    assert chosen(table, fill=fill)["x"][-1] == value


def test_scalers_do_what_they_are_called():
    table = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 10.0], "same": [7.0] * 5, "flag": [True, False] * 2 + [True]})
    assert chosen(table, scaler="none")["x"] == [0, 1, 2, 3, 10]
    assert chosen(table, scaler="min_max")["x"] == pytest.approx([0, 0.1, 0.2, 0.3, 1])
    assert chosen(table, scaler="robust")["x"] == pytest.approx([-1, -0.5, 0, 0.5, 4])
    quantiles = chosen(table, scaler="quantile")["x"]
    assert quantiles == sorted(quantiles)
    assert quantiles[2] == pytest.approx(0, abs=1e-6)
    for scaler in ("none", "standard", "min_max", "robust", "quantile"):
        columns = chosen(table, scaler=scaler)
        assert columns["flag"] == [1, 0, 1, 0, 1]
        assert np.isfinite(columns["same"]).all()
        assert len(set(columns["same"])) == 1


def test_column_that_is_mostly_one_value_does_not_blow_up_under_the_robust_scaler():
    table = pd.DataFrame({"x": [0.0] * 99 + [1.0]})
    assert max(chosen(table, scaler="robust")["x"]) < 20


def test_categories_become_one_column_of_ranks_or_shares():
    table = pd.DataFrame({"c": ["b", "a", "a", "a", "b", None]})
    assert chosen(table, encoding="ordinal") == {"c": [2, 1, 1, 1, 2, 3]}
    assert chosen(table, encoding="frequency")["c"] == pytest.approx([2 / 6, 0.5, 0.5, 0.5, 2 / 6, 1 / 6])
    later = pd.DataFrame({"c": ["new", "a"]})
    for encoding, expected in (("ordinal", [[0], [1]]), ("frequency", [[0], [0.5]])):
        assert preparation(table, encoding=encoding).fit(table).transform(later).tolist() == expected


def test_many_levels_share_the_rank_of_others():
    table = pd.DataFrame({"c": [f"level {i % 40}" for i in range(100)] + ["once"]})
    ranks = chosen(table, encoding="ordinal")["c"]
    assert ranks[-1] == max(ranks) == 30
    shares = chosen(table, encoding="frequency")["c"]
    assert shares[0] == pytest.approx(3 / 101)
    assert sum(shares[i] for i in {ranks.index(r) for r in set(ranks)}) == pytest.approx(1)
