"""A workshop of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hpo_core.lessons import Workshop
from tests.direct_executor import DirectExecutor


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path, DirectExecutor())
    yield made
    made.shutdown()
