"""Validation protocols: what is locked, what is divided, and what is refused."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from hpo_core.datasets import dataset_from_table, load_dataset
from hpo_core.errors import UsageError
from hpo_core.protocol import Protocol


def _table(n=60, n_classes=3, **columns):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), **columns})
    return dataset_from_table(frame.assign(y=[f"class {i % n_classes}" for i in range(n)]), "y", name="table")


def _grouped(n_groups, n_rows=60):
    return _table(n_rows, group=[f"g{i % n_groups}" for i in range(n_rows)])


def _all_protocols():
    return [
        (_table(), Protocol()),
        (_table(), Protocol(folds=3, repeats=4)),
        (_table(), Protocol(kind="holdout", repeats=3)),
        (_grouped(12), Protocol(kind="grouped", column="group")),
        (_table(when=np.arange(60)[::-1]), Protocol(kind="time", column="when")),
        (_table(), Protocol(kind="time")),
        (load_dataset("diabetes"), Protocol(folds=4)),
        (load_dataset("diabetes"), Protocol(kind="holdout", test_fraction=0.0)),
    ]


@pytest.mark.parametrize(("data", "protocol"), _all_protocols(), ids=lambda x: getattr(x, "title", ""))
def test_no_locked_row_is_in_any_fold_and_no_fold_trains_on_what_it_validates(data, protocol):
    split = protocol.split(data)
    assert len(split.folds) == protocol.n_folds
    assert len(split.test) == pytest.approx(protocol.test_fraction * data.n_rows, abs=data.n_rows * 0.1)
    for train, valid in split.folds:
        assert len(train) > 0
        assert len(valid) > 0
        assert not set(train) & set(valid)
        assert not (set(train) | set(valid)) & set(split.test)


@pytest.mark.parametrize(("data", "protocol"), _all_protocols(), ids=lambda x: getattr(x, "title", ""))
def test_same_data_and_protocol_give_the_same_split(data, protocol):
    first, second = protocol.split(data), Protocol.from_json(json.loads(json.dumps(protocol.to_json()))).split(data)
    assert np.array_equal(first.test, second.test)
    for a, b in zip(first.folds, second.folds, strict=True):
        assert np.array_equal(a[0], b[0])
        assert np.array_equal(a[1], b[1])


def test_folds_of_one_repeat_validate_every_development_row_once():
    data = _table()
    split = Protocol(folds=5, repeats=2).split(data)
    for repeat in (split.folds[:5], split.folds[5:]):
        assert sorted(np.concatenate([valid for _, valid in repeat])) == sorted(set(range(60)) - set(split.test))


def test_repeats_and_seeds_divide_anew():
    data = _table()
    split = Protocol(folds=3, repeats=2).split(data)
    assert not np.array_equal(split.folds[0][1], split.folds[3][1])
    assert not np.array_equal(split.test, Protocol(folds=3, seed=1).split(data).test)
    holdout = Protocol(kind="holdout", repeats=2).split(data)
    assert not np.array_equal(holdout.folds[0][1], holdout.folds[1][1])


@pytest.mark.parametrize("protocol", [Protocol(), Protocol(kind="holdout")])
def test_class_shares_are_kept(protocol):
    data = load_dataset("imbalanced")
    split = protocol.split(data)
    share = np.bincount(data.target)[1] / data.n_rows
    for rows in (split.test, *(part for fold in split.folds for part in fold)):
        assert np.mean(data.target[rows]) == pytest.approx(share, abs=1.5 / len(rows))


def test_groups_are_never_divided():
    data = _grouped(12)
    groups = data.features["group"].to_numpy()
    split = Protocol(kind="grouped", column="group", folds=4).split(data)
    for train, valid in split.folds:
        assert not set(groups[train]) & set(groups[valid])
        assert not set(groups[split.test]) & (set(groups[train]) | set(groups[valid]))


def test_time_order_is_kept_whatever_the_order_of_the_rows():
    when = np.random.default_rng(3).permutation(60)
    data = _table(when=when)
    split = Protocol(kind="time", column="when", folds=4).split(data)
    assert when[split.test].min() > max(when[part].max() for fold in split.folds for part in fold)
    for train, valid in split.folds:
        assert when[train].max() < when[valid].min()


def test_time_order_without_a_column_is_the_order_of_the_rows():
    split = Protocol(kind="time", folds=3).split(_table())
    assert split.test.tolist() == list(range(48, 60))
    assert all(train.max() < valid.min() for train, valid in split.folds)


def test_holdout_validates_on_its_share():
    train, valid = Protocol(kind="holdout", valid_fraction=0.25).split(_table()).folds[0]
    assert (len(train), len(valid)) == (36, 12)


def test_rare_class_is_said_in_a_note():
    frame = pd.DataFrame({"a": np.arange(50.0), "y": ["often"] * 46 + ["rare"] * 4})
    split = Protocol().split(dataset_from_table(frame, "y", name="table"))
    assert split.notes == ("Class rare has 3 rows outside the test split, fewer than 5 folds: some folds lack it.",)


@pytest.mark.parametrize(
    ("data", "protocol", "words"),
    [
        (_grouped(4), Protocol(kind="grouped", column="group", test_fraction=0.0), "4 groups to divide, too few for 5"),
        (_grouped(6), Protocol(kind="grouped", column="group"), "are 4 groups to divide, too few for 5 folds"),
        (_table(12, 2), Protocol(folds=11), "are 9 rows to divide, too few for 11 folds"),
        (_table(12, 2), Protocol(kind="time", folds=10), "are 10 rows to divide, too few for 10 folds"),
        (_table(12, 2), Protocol(folds=7), "cannot be divided by 7-fold"),
        (_table(12, 6), Protocol(test_fraction=0.1), "test split of 10% cannot be cut off"),
        (_table(), Protocol(kind="grouped", column="who"), "no column 'who' for the grouped protocol"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)  # fmt: skip
def test_too_few_rows_or_groups_are_refused_with_a_sentence(data, protocol, words):
    with pytest.raises(UsageError, match=words):
        protocol.split(data)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "bootstrap"}, "one of kfold, holdout, grouped, time; got 'bootstrap'"),
        ({"folds": 1}, "from 2 to 50; got 1"),
        ({"folds": 51}, "from 2 to 50; got 51"),
        ({"repeats": 0}, "Repeats must be"),
        ({"test_fraction": 0.6}, "from 0 to 0.5; got 0.6"),
        ({"test_fraction": float("nan")}, "from 0 to 0.5; got nan"),
        ({"kind": "holdout", "valid_fraction": 0.9}, "from 0.05 to 0.5; got 0.9"),
        ({"kind": "grouped"}, "need the column"),
        ({"kind": "time", "repeats": 2}, "one division only"),
        ({"folds": 1, "repeats": 0}, r"Folds must be.*Repeats must be"),
    ],
)
def test_impossible_protocols_are_refused(fields, words):
    with pytest.raises(UsageError, match=words):
        Protocol(**fields)


@pytest.mark.parametrize("kind", ["kfold", "grouped", "time"])
def test_thinned_rows_are_always_among_more_of_them(kind):
    data = load_dataset("iris")
    column = data.features.columns[0] if kind != "kfold" else None
    protocol = Protocol(kind=kind, folds=3, column=column)
    train, _ = protocol.split(data).folds[1]
    few, more = (protocol.thinned(data, train, 1, n) for n in (20, 50))
    assert (len(few), len(more)) == (20, 50)
    assert set(few) <= set(more) <= set(train)
    assert np.array_equal(protocol.thinned(data, train, 1, len(train)), np.sort(train) if kind != "time" else train)


def test_thinned_rows_keep_the_shares_of_classes_and_differ_by_fold():
    data, protocol = load_dataset("iris"), Protocol(folds=3)
    train, _ = protocol.split(data).folds[0]
    thinned = protocol.thinned(data, train, 0, 12)
    assert np.bincount(data.target[thinned].astype(int)).tolist() == [4, 4, 4]
    assert not np.array_equal(thinned, protocol.thinned(data, train, 1, 12))


def test_thinned_groups_come_whole_and_time_keeps_the_latest():
    data = load_dataset("iris")
    column = data.features.columns[0]
    grouped = Protocol(kind="grouped", folds=3, column=column)
    train, _ = grouped.split(data).folds[0]
    kept = grouped.thinned(data, train, 0, 40)
    sides = data.features[column].to_numpy()
    split_groups = set(sides[kept]) & set(sides[np.setdiff1d(train, kept)])
    assert len(split_groups) <= 1
    ordered = Protocol(kind="time", folds=3, column=column)
    train, _ = ordered.split(data).folds[2]
    assert sides[ordered.thinned(data, train, 2, 10)].min() >= sides[train[:-10]].max()


@pytest.mark.parametrize(("data", "protocol"), _all_protocols(), ids=lambda x: getattr(x, "title", ""))
def test_outer_folds_keep_their_rows_from_the_folds_and_the_locked_rows_from_both(data, protocol):
    locked = set(protocol.split(data).test)
    left_out = []
    for inner in protocol.nested(4):
        split = inner.split(data)
        assert set(split.test) == locked
        ((rest, outer),) = dataclasses.replace(inner, is_opened=True).split(data).folds
        assert not set(outer) & set(rest)
        assert not (set(outer) | set(rest)) & locked
        assert set().union(*(set(part) for fold in split.folds for part in fold)) <= set(rest)
        assert len(split.folds) == protocol.n_folds
        left_out += outer.tolist()
    assert len(left_out) == len(set(left_out))
    if protocol.kind != "time":
        assert set(left_out) == set(range(data.n_rows)) - locked


def test_outer_folds_follow_groups_and_time():
    grouped, timed = _grouped(20), _table(when=np.arange(60)[::-1])
    group, when = grouped.features["group"].to_numpy(), timed.features["when"].to_numpy()
    for inner in Protocol(kind="grouped", column="group", folds=3).nested(3):
        ((rest, outer),) = inner.opened().split(grouped).folds
        assert not set(group[rest]) & set(group[outer])
    for inner in Protocol(kind="time", column="when", folds=3).nested(3):
        ((rest, outer),) = inner.opened().split(timed).folds
        assert when[rest].max() < when[outer].min()


def test_outer_folds_are_others_than_the_folds_and_need_no_locked_rows():
    data, protocol = _table(120), Protocol(test_fraction=0.0)
    valid = {tuple(sorted(valid)) for _, valid in protocol.split(data).folds}
    outer = {tuple(sorted(inner.opened().split(data).folds[0][1])) for inner in protocol.nested(5)}
    assert len(valid) == len(outer) == 5
    assert not valid & outer


def test_outer_folds_travel_and_older_protocols_read_as_before():
    inner = Protocol().nested(5)[3]
    assert Protocol.from_json(json.loads(json.dumps(inner.to_json()))) == inner
    assert inner.title == "5-fold, outer fold 4 of 5"
    assert not {"outer_folds", "outer_fold"} & Protocol().to_json().keys()
    for n, words in ((0, "got 0"), (1, "got 1"), (21, "got 21")):
        with pytest.raises(UsageError, match=words):
            Protocol().nested(n)
    with pytest.raises(UsageError, match="counted from 0; got 5"):
        Protocol(outer_folds=5, outer_fold=5)
