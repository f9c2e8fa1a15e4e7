"""What every bundled data set holds to."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from hpo_core.datasets import DATASETS, DataSource, dataset_from_table, load_dataset

SOURCES = pytest.mark.parametrize("source", list(DATASETS), ids=lambda source: source.key)
HASHES = """
import json
from hpo_core.datasets import DATASETS, load_dataset
print(json.dumps({key: load_dataset(key).hash for key in DATASETS.keys}))
"""


@SOURCES
def test_says_what_it_is(source: DataSource):
    assert source.key == source.key.lower().replace(" ", "_")
    assert source.label
    assert source.purpose.endswith(".")
    assert source.source


@SOURCES
def test_loads_as_declared(source: DataSource):
    dataset = load_dataset(source.key)
    assert dataset.name == source.key
    assert dataset.label == source.label
    assert dataset.task == source.task
    assert len(dataset.features) == len(dataset.target) >= 50


@SOURCES
def test_target_is_whole(source: DataSource):
    dataset = load_dataset(source.key)
    assert np.isfinite(dataset.target).all()
    assert dataset.n_classes == (len(np.unique(dataset.target)) if source.task == "classification" else 0)
    assert dataset.target.dtype == (np.int64 if source.task == "classification" else np.float64)
    if source.task == "classification":
        assert np.bincount(dataset.target).min() >= 10


@SOURCES
def test_declared_task_is_the_one_that_would_be_detected(source: DataSource):
    features, target = source.load()
    frame = features.assign(**{str(target.name): target})
    assert dataset_from_table(frame, str(target.name), name=source.key).task == source.task


@SOURCES
def test_no_column_is_left_out(source: DataSource):
    features, target = source.load()
    assert load_dataset(source.key).features.columns.tolist() == features.columns.tolist()
    assert target.name not in features


@SOURCES
def test_names_are_for_people(source: DataSource):
    features, target = source.load()
    assert all(isinstance(name, str) and "_" not in name and name.strip() for name in [*features, target.name])


@SOURCES
def test_loads_the_same_again(source: DataSource):
    (first, first_target), (second, second_target) = source.load(), source.load()
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_series_equal(first_target, second_target)


def test_hashes_are_the_same_in_another_process_and_differ_between_sets():
    run = subprocess.run([sys.executable, "-c", HASHES], capture_output=True, text=True, check=True)
    here = {key: load_dataset(key).hash for key in DATASETS.keys}
    assert json.loads(run.stdout) == here
    assert len(set(here.values())) == len(here)


def test_long_is_long_and_wide_is_wide():
    assert load_dataset("long").n_rows >= 20_000
    wide = load_dataset("wide_and_short").features
    assert wide.shape[1] > 5 * wide.shape[0]


def test_imbalanced_is_imbalanced():
    assert np.bincount(load_dataset("imbalanced").target).min() < 0.06 * load_dataset("imbalanced").n_rows
