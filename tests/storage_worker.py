"""What other processes do to a storage in the tests: python -m tests.storage_worker ACTION URL ..."""

from __future__ import annotations

import sys

from hpo_core.errors import StudyBusyError
from hpo_core.studies.run import Owner
from hpo_core.studies.storage import StudyStorage
from tests.finished_trials import finished


def record(url: str, name: str, first: int, count: int) -> None:
    """Records trials one by one and says each number as soon as it is given."""
    study = StudyStorage.open(url).study(name)
    _wait_for_start()
    for index in range(first, first + count):
        print(*study.record(finished(index)), flush=True)


def claim(url: str, name: str, run_id: int) -> None:
    """Tries to become the owner of a run, and lives on until told."""
    study = StudyStorage.open(url).study(name)
    _wait_for_start()
    try:
        study.runs.claim(run_id, Owner.of_this_process())
        print("claimed", flush=True)
    except StudyBusyError:
        print("refused", flush=True)
    sys.stdin.readline()


def open_storage(url: str) -> None:
    _wait_for_start()
    print(len(StudyStorage.open(url).summaries()), flush=True)


def _wait_for_start() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    {"record": record, "claim": claim, "open": open_storage}[action](  # type: ignore[operator]
        *(int(a) if a.isdigit() else a for a in arguments)
    )
