"""What tests of the search share: a landscape that misbehaves, pools of workers, and stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_core.problem import Problem
from hpo_core.protocol import Protocol
from hpo_core.search.fits import FitStore
from hpo_core.search.local import LocalExecutor
from hpo_core.studies.storage import StudyStorage
from tests.moody_landscape import moody, moody_known, pool
from tests.running import MIXED, Bench


@pytest.fixture(scope="module", autouse=True)
def moody_landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with moody_known(tmp_path_factory.mktemp("customisation")):
        yield


@pytest.fixture(scope="module")
def pool_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pool")


@pytest.fixture(scope="module")
def one_worker(moody_landscape: None, pool_folder: Path) -> Iterator[LocalExecutor]:
    with pool(1, pool_folder) as executor:
        yield executor


@pytest.fixture(scope="module")
def two_workers(moody_landscape: None, pool_folder: Path) -> Iterator[LocalExecutor]:
    with pool(2, pool_folder) as executor:
        yield executor


@pytest.fixture
def fits(tmp_path: Path) -> Iterator[FitStore]:
    store = FitStore(tmp_path / "fits.db")
    yield store
    store.close()


@pytest.fixture
def studies(sqlite_url: str) -> StudyStorage:
    """An empty storage in a SQLite file, for what does not depend on the kind of storage."""
    return StudyStorage.open(sqlite_url)


@pytest.fixture
def bench(studies: StudyStorage, one_worker: LocalExecutor, fits: FitStore) -> Bench:
    return Bench(studies, one_worker, fits)


@pytest.fixture
def bench2(studies: StudyStorage, two_workers: LocalExecutor, fits: FitStore) -> Bench:
    return Bench(studies, two_workers, fits)


@pytest.fixture
def mixed() -> Problem:
    """A small space of every kind of parameter with a condition, seen through two noisy looks."""
    return moody(*MIXED, noise=0.1, protocol=Protocol(folds=2))
