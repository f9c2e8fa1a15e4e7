"""The fit store: what is known is known to all processes of a folder, and no fault of the file reaches the search."""

import os
import subprocess
import sys

import pytest

from hpo_core.fit_result import FitResult
from hpo_core.search.fits import FitStore
from tests.moody_landscape import ROOT

_RESULT = FitResult(score=0.5, train_score=float("nan"), fit_seconds=0.1, predict_seconds=0.01, model_bytes=10)


def _is_same(a, b):
    return repr(a) == repr(b)


def test_results_are_found_again_among_many_keys(fits):
    for i in range(1200):
        fits.put(f"key {i}", FitResult(score=float(i), train_score=0, fit_seconds=0, predict_seconds=0, model_bytes=0))
    found = fits.get([f"key {i}" for i in range(600, 2000)])
    assert len(found) == 600
    assert found["key 601"].score == 601.0


def test_figures_that_are_no_numbers_are_kept(fits):
    fits.put("key", _RESULT)
    assert _is_same(fits.get(["key"])["key"], _RESULT)


def test_another_process_finds_the_results(tmp_path, fits):
    fits.put("key", _RESULT)
    script = f"from hpo_core.search.fits import FitStore\nfrom pathlib import Path\n" \
             f"print(FitStore(Path({str(tmp_path / 'fits.db')!r})).get(['key', 'other']).keys())"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "dict_keys(['key'])"


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_broken_file_is_replaced_by_memory(tmp_path, content):
    path = tmp_path / "fits.db"
    path.write_bytes(content)
    store = FitStore(path)
    store.put("key", _RESULT)
    assert _is_same(store.get(["key"])["key"], _RESULT)
    store.close()


def test_folder_that_is_not_there_is_replaced_by_memory(tmp_path):
    store = FitStore(tmp_path / "nowhere" / "fits.db")
    store.put("key", _RESULT)
    assert "key" in store.get(["key"])
    store.close()


def test_file_that_breaks_later_costs_no_result(tmp_path):
    store = FitStore(tmp_path / "fits.db")
    store.put("early", _RESULT)
    for name in ("fits.db", "fits.db-wal"):
        os.truncate(tmp_path / name, 0)
    (tmp_path / "fits.db").write_bytes(b"no database any more" * 500)
    store.put("late", _RESULT)
    assert "late" in store.get(["early", "late"])
    store.close()


def test_results_in_quick_succession_are_known_here_at_once_and_to_others_when_written(tmp_path):
    store, other = FitStore(tmp_path / "fits.db"), FitStore(tmp_path / "fits.db")
    for i in range(50):
        store.put(f"key {i}", _RESULT)
        assert f"key {i}" in store.get([f"key {i}"])
    store.flush()
    assert len(other.get([f"key {i}" for i in range(50)])) == 50
    store.put("last", _RESULT)
    store.close()
    assert "last" in other.get(["last"])
    other.close()
