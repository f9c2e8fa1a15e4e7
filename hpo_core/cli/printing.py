"""How the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from hpo_core.formats import format_score, format_seconds
from hpo_core.studies.run import Run
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_BAR = 24


def print_json(value: Any) -> None:
    """One JSON value on standard output; numbers that are not finite become null."""
    print(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """A table of these columns, as wide as its cells."""
    cells = [[str(c) for c in columns]] + [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


class ProgressLine:
    """One line on standard error that follows a run; silent when standard error is not a terminal."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._is_shown = sys.stderr.isatty()
        self._table: TrialTable | None = None

    def __call__(self, run: Run) -> None:
        if self._is_shown:
            self._table = table = self._study.read(self._table)
            print(f"\r\x1b[K{_progress(run, table)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._is_shown:
            print(file=sys.stderr)


def _progress(run: Run, table: TrialTable) -> str:
    done, best = float(getattr(run.spent, run.budget.kind)), table.best()
    filled = round(min(1.0, done / run.budget.amount) * _BAR)
    left = run.live.seconds_left
    parts = [
        f"{'█' * filled}{'·' * (_BAR - filled)} {done:.0f} of {run.budget.amount:g} {run.budget.kind}",
        f"best {format_score(None if best is None else float(table.values[best]))}",
        "paused" if run.state == "paused" else "" if left is None else f"{format_seconds(left)} left",
    ]
    return " · ".join(p for p in parts if p)


def moment(epoch: float) -> str:
    """A local date and time; a dash for none."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch)) if epoch else "–"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return format_score(value)
    return "–" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
