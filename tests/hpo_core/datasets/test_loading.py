import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpo_core.datasets import DATASETS, dataset_from_table, load_dataset
from hpo_core.errors import UsageError
from tests.small_tables import N, load, notes, table


def test_key_gives_the_bundled_set():
    dataset = load_dataset("iris")
    assert (dataset.name, dataset.label, dataset.target_name, dataset.n_rows) == ("iris", "Iris", "species", 150)


def test_key_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "iris").write_bytes(b"a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("iris").n_rows == 150


def test_bundled_set_takes_another_target_and_finds_its_task():
    dataset = load_dataset("iris", target="petal length (cm)")
    assert dataset.task == "regression"
    assert "species" in dataset.features


def test_bundled_set_takes_another_task():
    assert load_dataset("digits", task="regression").task == "regression"


def test_file_is_loaded_under_its_name(tmp_path: Path):
    path = tmp_path / "mine.csv"
    table().to_csv(path, index=False)
    dataset = load_dataset(path, target="y")
    assert (dataset.name, dataset.classes, dataset.n_rows) == ("mine.csv", ("no", "yes"), N)


def test_notes_of_the_reader_come_along(tmp_path: Path):
    path = tmp_path / "mine.csv"
    table(z=["é", "e"] * 30).to_csv(path, index=False, encoding="cp1252")
    assert "not UTF-8" in notes(load_dataset(path, target="y"))


def test_neither_key_nor_file_lists_the_keys():
    with pytest.raises(UsageError, match=r"no bundled data set 'irsi'; bundled are .*iris, long"):
        load_dataset("irsi")


def test_file_without_target_lists_the_columns(tmp_path: Path):
    path = tmp_path / "mine.csv"
    pd.DataFrame(np.eye(30), columns=[f"c{i}" for i in range(30)]).to_csv(path, index=False)
    with pytest.raises(UsageError, match=r"--target.*c0, c1, .*c19 and 10 more"):
        load_dataset(path)


def test_unknown_target_lists_the_columns_and_guesses():
    with pytest.raises(UsageError, match=r"no column 'prise'.*it has x, y, price\. Did you mean 'price'\?"):
        load(table(price=1), "prise")


def test_unknown_task_is_refused():
    with pytest.raises(UsageError, match="classification or regression; got 'clustering'"):
        load(table(), task="clustering")


def test_frame_given_is_not_changed():
    frame = table(z=[np.inf, *range(N - 1)])
    before = frame.copy(deep=True)
    load(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_hash_is_the_same_for_the_same_table_as_csv_and_parquet(tmp_path: Path):
    frame = table(z=["u", None] * 30, day=pd.date_range("2024-01-01", periods=N), truth=[True, False] * 30)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    hashes = {load_dataset(tmp_path / name, "y").hash for name in ("t.csv", "t.parquet")}
    assert hashes == {load(frame).hash}


def test_hash_does_not_know_the_name_of_the_table():
    frame = table()
    assert dataset_from_table(frame, "y", name="a").hash == dataset_from_table(frame, "y", name="b").hash


CHANGES = {
    "a value": lambda f: f.assign(x=f["x"].where(f.index != 5, 0.0)),
    "a missing value": lambda f: f.assign(x=f["x"].where(f.index != 5)),
    "a target": lambda f: f.assign(y=["yes", "no"] * 30),
    "a label": lambda f: f.assign(y=["no", "yeah"] * 30),
    "a name": lambda f: f.rename(columns={"x": "X"}),
    "the order of rows": lambda f: f.iloc[::-1],
    "the order of columns": lambda f: f[["z", "x", "y"]],
    "a type": lambda f: f.assign(z=f["z"].astype("float64")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_hash_changes_with(change: str):
    frame = table(z=range(0, 2 * N, 2))
    assert load(CHANGES[change](frame)).hash != load(frame).hash


def test_hash_changes_with_the_task():
    frame = table(t=[0, 1] * 30)
    assert load(frame, "t").hash != load(frame, "t", task="regression").hash


def test_import_costs_no_scikit_learn():
    code = "import sys, hpo_core.datasets; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_named_set_is_bundled():
    small = {"iris", "wine", "breast_cancer", "digits", "diabetes", "moons", "circles", "imbalanced"}
    assert set(DATASETS.keys) >= small | {"noisy_regression", "wide_and_short", "long"}
