"""A lab of the test's own, in a fresh data folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pages._shared.lab import Lab, close_lab, the_lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("TUNING_LAB_DATA", str(tmp_path))
    the_lab.cache_clear()
    yield the_lab()
    close_lab()
