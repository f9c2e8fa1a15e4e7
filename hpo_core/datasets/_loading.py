"""From a name, a file or a frame to a data set that is ready to tune on."""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.datasets._base import Dataset, DataSource, Task
from hpo_core.datasets._columns import plain_table, usable_features
from hpo_core.datasets._reading import read_table
from hpo_core.datasets._target import Target, prepare_target
from hpo_core.datasets._wording import counted, listed
from hpo_core.discovery import Catalogue
from hpo_core.errors import DataError, UsageError

DATASETS: Catalogue[DataSource] = Catalogue("hpo_core.datasets", DataSource, "data set")

_MIN_ROWS = 10
_N_COLUMNS_SHOWN = 20


def load_dataset(data: str | Path, target: str | None = None, task: Task | None = None) -> Dataset:
    """A bundled data set by its key, or a table from a file. Where a file has the name of a key, the key wins.

    Args:
        data: Key or path.
        target: Name of the target column; a file needs one, a bundled set has its own.
        task: Overrides what the target looks like.

    Raises:
        UsageError: There is neither key nor file, the target is not named, or there is no such column.
        DataError: The file cannot be read, or cannot be tuned on.
    """
    if str(data) in DATASETS:
        return _bundled(DATASETS[str(data)], target, task)
    path = Path(data)
    if not _exists(path):
        if path.is_absolute():
            raise UsageError(
                f"The table {path.name} is not there any more. Put it back at {path}, or choose other data."
            )
        raise UsageError(
            f"There is no file and no bundled data set {str(data)!r}; bundled are {', '.join(DATASETS.keys)}."
        )
    frame = read_table(path)
    if target is None:
        shown = listed(list(frame.columns), _N_COLUMNS_SHOWN)
        raise UsageError(f"Say which column of {path.name} is the target (--target on the command line): {shown}.")
    return dataset_from_table(frame, target, name=path.name, task=task)


def dataset_from_table(
    frame: pd.DataFrame, target: str, *, name: str, label: str | None = None, task: Task | None = None
) -> Dataset:
    """A data set from a frame, which stays as it is.

    Rows without a finite target, classes of a single row, and columns that are empty or identify rows are left out;
    infinite features become missing. `notes` says all of it.

    Args:
        frame: Features and target, in columns.
        target: Name of the target column.
        name: What messages call the table.
        label: Name on screen; `name` by default.
        task: Overrides what the target looks like. Unless given, text, true/false and few whole numbers are classes.

    Raises:
        UsageError: There is no column of that name.
        DataError: The table cannot be tuned on as it is.
    """
    table, name_notes = plain_table(frame, name)
    column = _column(table, str(target), name)
    prepared = prepare_target(table[column], task)
    features = table.drop(columns=column)
    if not prepared.is_kept.all():
        features = features[prepared.is_kept].reset_index(drop=True)
    if len(features) < _MIN_ROWS:
        raise DataError(f"{name} has {counted(len(features), 'row')} with a target; at least {_MIN_ROWS} are needed.")
    usable, feature_notes = usable_features(features)
    row_hashes, digest = _digest(usable, prepared)
    notes = [*frame.attrs.get("notes", ()), *name_notes, *prepared.notes, *feature_notes, *_repeated_note(row_hashes)]
    return Dataset(
        name=name,
        label=label or name,
        features=usable,
        target=prepared.values,
        target_name=column,
        task=prepared.task,
        classes=prepared.classes,
        notes=tuple(notes),
        hash=digest,
    )


def _bundled(source: DataSource, target: str | None, task: Task | None) -> Dataset:
    features, own_target = source.load()
    frame = features.assign(**{str(own_target.name): own_target})
    is_own = target in (None, own_target.name)
    return dataset_from_table(
        frame,
        target or str(own_target.name),
        name=source.key,
        label=source.label,
        task=task or (source.task if is_own else None),
    )


def _exists(path: Path) -> bool:
    """Whether something is there, readable or not: reading it says what is wrong."""
    try:
        return path.exists()
    except OSError:
        return True
    except ValueError:
        return False


def _column(table: pd.DataFrame, target: str, name: str) -> str:
    columns = list(table.columns)
    for candidate in (target, " ".join(target.split())):
        if candidate in columns:
            return candidate
    close = get_close_matches(target, columns, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    shown = listed(columns, _N_COLUMNS_SHOWN)
    raise UsageError(f"{name} has no column {target!r} to be the target; it has {shown}.{hint}")


def _digest(features: pd.DataFrame, target: Target) -> tuple[NDArray[np.uint64], str]:
    """A hash of each row, shape (n,), and the digest of everything; both depend on nothing but the contents."""
    kinds = [[str(c), str(features[c].dtype)] for c in features]
    whole = hashlib.sha256(json.dumps([kinds, target.task, target.classes]).encode())
    rows = np.zeros(len(features), dtype=np.uint64)
    for column in (*(features[c] for c in features), pd.Series(target.values)):
        hashes = np.asarray(pd.util.hash_pandas_object(column, index=False), dtype=np.uint64)
        whole.update(hashes.data)
        rows = rows * np.uint64(0x9E3779B97F4A7C15) + hashes
    return rows, whole.hexdigest()


def _repeated_note(row_hashes: NDArray[np.uint64]) -> list[str]:
    count = len(row_hashes) - len(np.unique(row_hashes))
    if not count:
        return []
    verb = "repeats an earlier row" if count == 1 else "repeat earlier rows"
    return [f"{counted(count, 'row')} {verb} exactly; copies on both sides of a fold make scores look too good."]
