"""What the pointer shows of a trial: one line each for its number, its noise and its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution

from hpo_core.analysis.selection import Rows
from hpo_core.formats import NOTHING, format_score, round_significant
from hpo_core.plots._look import plain
from hpo_core.studies.table import TrialTable

_MOST = 8


@dataclass(frozen=True, slots=True)
class Hover:
    """The `customdata` of a trace, one row a trial beginning with its number, and the lines that show it."""

    customdata: list[list[Any]]
    template: str


def hover(table: TrialTable, rows: Rows, arm: str) -> Hover:
    """Hover of the trials in these rows.

    Parameters that are the same in all trials are left out, and those after the first eight are counted.
    """
    names = [name for name in table.params if _varies(table, name)]
    columns = [table.numbers[rows].tolist(), _value_texts(table, rows)]
    columns += [_readable(table, name, rows) for name in names[:_MOST]]
    lines = [f"<b>trial %{{customdata[0]}}</b> · {arm}", "%{customdata[1]}"]
    lines += [f"{plain(name)}  <b>%{{customdata[{i + 2}]}}</b>" for i, name in enumerate(names[:_MOST])]
    if len(names) > _MOST:
        lines.append(f"and {len(names) - _MOST} more parameters")
    return Hover([list(row) for row in zip(*columns, strict=True)], "<br>".join(lines) + "<extra></extra>")


def _varies(table: TrialTable, name: str) -> bool:
    column = table.params[name]
    used = column[~np.isnan(column)]
    return bool(len(used) and (len(used) < len(column) or used.min() < used.max()))


def _readable(table: TrialTable, name: str, rows: Rows) -> list[Any]:
    if isinstance(table.distributions[name], CategoricalDistribution):
        return [plain(label) or NOTHING for label in table.column(name)[rows].tolist()]
    column = table.params[name][rows]
    texts = round_significant(column).astype(object)
    texts[np.isnan(column)] = NOTHING
    return list(texts)


def _value_texts(table: TrialTable, rows: Rows) -> list[str]:
    noise = table.noise[rows].tolist()
    counts = np.isfinite(table.fold_scores[rows]).sum(axis=1).tolist()
    return [
        format_score(value) + (f" ± {format_score(sd)} (sd over {count} folds)" if count > 1 else "")
        for value, sd, count in zip(table.values[rows].tolist(), noise, counts, strict=True)
    ]
