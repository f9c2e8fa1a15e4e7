"""What one server shares between all people: the storage, the workers for nudges, the kept fits, the ensembles."""

from __future__ import annotations

import os
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from hpo_core.datasets import DATASETS
from hpo_core.errors import UsageError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.lessons import Workshop
from hpo_core.search.classroom import why_hidden
from hpo_core.search.curves import Curves
from hpo_core.search.fits import FitStore
from hpo_core.search.local import LocalExecutor
from hpo_core.search.manual import ManualArm
from hpo_core.search.mixing import Mixer
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study
from hpo_core.studies.summary import StudySummary
from hpo_core.studies.table import TrialTable

STORAGE_VARIABLE = "TUNING_LAB_STORAGE"
_KEPT_TABLES = 96  # those of a class with its machine's arms, and some more
_SUMMARY_SECONDS = 1.0


@dataclass(eq=False)
class _Shelf:
    """The last table of one study, and who reads it."""

    table: TrialTable | None = None
    lock: Lock = field(default_factory=Lock)


class Lab:
    """The parts that outlive a page. One per server process; safe to share between threads.

    Args:
        folder: The data folder.
        storage: Where studies are kept.
        n_workers: Nudges' fits done at the same time.
    """

    def __init__(self, folder: Path, storage: StudyStorage, n_workers: int) -> None:
        self.folder, self.storage = folder, storage
        self.executor = LocalExecutor(n_workers, n_spare=1, log_file=folder / "workers.log")
        fits = FitStore(folder / "fits.db")
        self.manual = ManualArm(self.executor, fits)
        self.curves = Curves(self.executor, fits)
        self.mixer = Mixer(storage, log_file=folder / "workers.log")
        self.workshop = Workshop(folder, self.executor)
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._shelf_lock = Lock()
        self._summaries: tuple[StudySummary, ...] = ()
        self._summaries_until = 0.0
        self._summaries_lock = Lock()

    def study(self, name: str) -> Study:
        """The study of this name, for whoever asks.

        Raises:
            UsageError: There is none, or it is not shown to everybody now.
        """
        study = self.storage.study(name)
        if why := why_hidden(self.storage, study):
            raise UsageError(why)
        return study

    def table_of(self, study: Study, objective: int = 0) -> TrialTable:
        """The study's trials by one objective; only what is new since anybody's last look is read."""
        key = f"{study.key or study.name} {objective}"  # studies of other programs have no key
        with self._shelf_lock:
            shelf = self._shelves.setdefault(key, _Shelf())
            self._shelves.move_to_end(key)
            while len(self._shelves) > _KEPT_TABLES:
                self._shelves.popitem(last=False)
        with shelf.lock:  # of this study alone: the first look at a large one takes seconds
            shelf.table = study.read(shelf.table, objective=objective)
            return shelf.table

    def summaries(self, *, is_fresh: bool = False) -> tuple[StudySummary, ...]:
        """All studies, the one that changed last first; asked of the storage once in a while for all visitors.

        Args:
            is_fresh: Asks at once: after a change of one's own.
        """
        with self._summaries_lock:
            if is_fresh or time.monotonic() >= self._summaries_until:
                self._summaries = self.storage.summaries()
                self._summaries_until = time.monotonic() + _SUMMARY_SECONDS
            return self._summaries

    def running(self) -> tuple[StudySummary, ...]:
        """Studies with an active run."""
        return tuple(s for s in self.summaries() if s.run is not None and s.run.is_active)

    @property
    def tables(self) -> Path:
        """Where tables that people brought are kept."""
        folder = self.folder / "tables"
        folder.mkdir(exist_ok=True)
        return folder

    def keep_table(self, name: str, content: bytes) -> str:
        """Keeps an uploaded table; returns the name by which URLs and `data_of` know it."""
        stem = re.sub(r"[^\w.-]+", "_", Path(name).stem)[:60] or "table"
        kept = f"{stem}.{sha256(content).hexdigest()[:8]}{Path(name).suffix.lower()}"
        (self.tables / kept).write_bytes(content)
        return kept

    def data_of(self, name: str) -> str:
        """What `ProblemSpec.data` holds for a name in a URL: a bundled key, or the path of a kept table.

        Raises:
            UsageError: There is no such data. Other files of the machine are never opened.
        """
        if name in DATASETS or name in LANDSCAPES:
            return name
        kept = self.tables / Path(name).name
        if Path(name).name == name and kept.is_file():
            return str(kept)
        raise UsageError(f"There are no data {name!r} in this lab. Choose a data set, or bring the table again.")

    def kept_tables(self) -> list[str]:
        """Names of the tables that people brought, newest first."""
        return [p.name for p in sorted(self.tables.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)]


def shown_name(text: str) -> str:
    """A text without the marks by which `Lab.keep_table` tells tables of the same name apart."""
    return re.sub(r"\.[0-9a-f]{8}(?=\.(csv|tsv|txt|parquet)\b)", "", text)


@cache
def the_lab() -> Lab:
    """The lab of this server process, opened on first use; one that cannot be opened is tried again next time.

    Raises:
        StorageError: The data folder or the storage cannot be opened.
    """
    folder = data_folder()
    storage = StudyStorage.open(os.environ.get(STORAGE_VARIABLE), folder=folder, by="a person in the lab")
    return Lab(folder, storage, n_workers=max(2, min(8, os.cpu_count() or 2)))


def close_lab() -> None:
    """Ends the workers and the ensembles of this server. Searches have processes of their own and go on."""
    if the_lab.cache_info().currsize:
        the_lab().workshop.shutdown()
        the_lab().mixer.shutdown()
        the_lab().executor.shutdown()
        the_lab.cache_clear()
