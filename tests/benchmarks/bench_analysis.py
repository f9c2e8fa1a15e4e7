"""Time of every plot and every analysis of a large study, each from nothing, with the time to draw it.

    python tests/benchmarks/bench_analysis.py [--trials 10000 100000] [--parameters 10] [--slowest 10]

CPU seconds of this process, on one thread: what a person waits for on a machine that does nothing else. Whatever takes
longer than two seconds at 10,000 trials and 10 parameters is marked.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from hpo_core.analysis.attribution import attribution
from hpo_core.analysis.fitting import diagnosis
from hpo_core.analysis.importance import importance
from hpo_core.analysis.listing import VALUE, cells, columns_of, found_rows, sorted_rows, trial_frame
from hpo_core.analysis.optimism import corrected_best
from hpo_core.analysis.steering import steering_log
from hpo_core.analysis.stopping import stop_advice
from hpo_core.analysis.surrogate import fit_surrogate
from hpo_core.options import options_of, with_options
from hpo_core.plots import LIVE, PLOTS, Plot, figure_json
from hpo_core.studies.run import Event
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table, many_parameters, with_choices, with_faults, with_thoughts

LIMIT = 2.0
_COUNTER = count()
Timed = Callable[[TrialTable], Any]


def study(n: int, n_parameters: int) -> TrialTable:
    """Trials of three arms with failed and pruned ones among them, steered a hundred times."""
    table = with_faults(build_table(n, distributions=many_parameters(n_parameters)))
    times = np.linspace(float(table.started[0]), float(table.completed[-1]), 100).tolist()
    events = tuple(Event(at, "budget", {"kind": "trials", "amount": i}) for i, at in enumerate(times))
    return replace(table, events=events)


def _page_of_list(table: TrialTable) -> Any:
    rows = sorted_rows(table, np.flatnonzero(found_rows(table, "4", str)), VALUE)
    return cells(table, rows[:50], columns_of(table), str)


ANALYSES: dict[str, Timed] = {
    "surrogate": fit_surrogate,
    "importance": importance,
    "stop advice, a method that learns": lambda table: stop_advice(table, "tpe"),
    "stop advice, a method that does not": lambda table: stop_advice(table, "random"),
    "luck of the best": corrected_best,
    "who found the gain": attribution,
    "who found the gain, by steering": lambda table: attribution(table, by_steering=True),
    "over- and underfitting": lambda table: diagnosis(table, 0.25),
    "steering log": steering_log,
    "list of trials: find, sort, a page": _page_of_list,
    "all trials as a table": trial_frame,
}


def richest(plot: Plot[Any], tables: tuple[TrialTable, ...]) -> TrialTable | None:
    """The first table that this plot can show; None for none."""
    return next((table for table in tables if plot.why_unavailable(table) is None), None)


def settings_of(plot: Plot[Any]) -> list[Plot[Any]]:
    """The plot as it is, and with each other choice."""
    others = [(o.name, c) for o in options_of(type(plot)) for c in o.choices if c != getattr(plot, o.name)]
    return [plot, *(with_options(plot, {name: choice}) for name, choice in others)]


def seconds_of(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def fresh(table: TrialTable) -> TrialTable:
    """The same trials under a revision that nothing has been kept of."""
    return replace(table, revision=f"bench {next(_COUNTER)}")


def times_of(plot: Plot[Any], table: TrialTable) -> tuple[float, float]:
    """Seconds to compute a plot, and to draw it as the browser gets it."""
    table = fresh(table)
    computed, data = seconds_of(lambda: plot.compute(table))
    drawn, _ = seconds_of(lambda: (figure_json(plot.draw(data, LIVE)), plot.alt(data), plot.caption(data)))
    return computed, drawn


def rows_of(table: TrialTable) -> list[tuple[str, float, float]]:
    """What was timed, CPU seconds to compute it, and to draw it; of a plot's settings the slowest one."""
    found = [(name, seconds_of(partial(analyse, fresh(table)))[0], 0.0) for name, analyse in ANALYSES.items()]
    tables = (table, with_thoughts(table), with_choices(table))
    for plot in PLOTS:
        rich = richest(plot, tables)
        if rich is None:
            print(f"  {plot.key} cannot be shown: {plot.why_unavailable(table)}", file=sys.stderr)
            continue
        shown = [variant for variant in settings_of(plot) if variant.why_unavailable(rich) is None]
        found.append((f"plot {plot.key}", *max((times_of(variant, rich) for variant in shown), key=sum)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--parameters", type=int, default=10)
    parser.add_argument("--slowest", type=int, default=1000, help="print only so many")
    arguments = parser.parse_args()
    rows_of(study(200, arguments.parameters))  # imports and caches of libraries are no part of it
    for n in arguments.trials:
        rows = sorted(rows_of(study(n, arguments.parameters)), key=lambda row: -row[1] - row[2])
        print(f"\n{n:,} trials, {arguments.parameters} parameters")
        print(f"{'what':40s}{'compute s':>11s}{'draw s':>9s}")
        for name, computed, drawn in rows[: arguments.slowest]:
            mark = "  above the limit" if computed + drawn > LIMIT else ""
            print(f"{name:40s}{computed:11.2f}{drawn:9.2f}{mark}")


if __name__ == "__main__":
    main()
