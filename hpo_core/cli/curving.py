"""`curve`: the learning curve of a configuration, or its validation curve over one parameter."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.analysis.curves import Curve, forecast, in_words
from hpo_core.cli.narrowing import read_value
from hpo_core.cli.printing import print_json, print_rows
from hpo_core.cli.searching import add_problem, add_storage, spec_of
from hpo_core.errors import UsageError
from hpo_core.formats import format_score, format_seconds, format_value
from hpo_core.plots import curve_numbers
from hpo_core.problem import Problem, open_problem
from hpo_core.search import problem_of
from hpo_core.search.curves import (
    CurvePlan,
    CurveRun,
    cost_of,
    draw_curve,
    plan_learning_curve,
    plan_validation_curve,
)
from hpo_core.search.fits import FitStore
from hpo_core.search.local import LocalExecutor
from hpo_core.space import Configuration
from hpo_core.studies.storage import StudyStorage, data_folder


def add_command(commands: Any) -> None:
    """Adds `curve`."""
    command = commands.add_parser(
        "curve", help="draw the learning curve of a configuration, or its validation curve over one parameter"
    )
    add_problem(command)
    what = command.add_argument_group("curve")
    what.add_argument("--parameter", help="draw over its values (default: over growing numbers of training rows)")
    what.add_argument("--points", type=int, help="places of the curve (default: 8 sizes, or 9 values)")
    what.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="value that is not at its default"
    )
    what.add_argument("--study", default="", help="take problem and configuration from a study")
    what.add_argument("--trial", type=int, help="number of its trial (default: its best)")
    what.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
    add_storage(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does `curve`."""
    folder = data_folder(arguments.data_folder)
    problem, values = _chosen(arguments, folder)
    plan = _plan(arguments, problem, values)
    if not 1 <= arguments.workers <= 256:
        raise UsageError(f"Workers must be a whole number from 1 to 256; got {arguments.workers}.")
    fits = FitStore(folder / "fits.db")
    executor = LocalExecutor(arguments.workers, log_file=folder / "workers.log")
    try:
        _announce(arguments, plan, fits)
        curve = draw_curve(plan, executor, fits, _follow if sys.stderr.isatty() else None)
    finally:
        executor.shutdown()
        fits.close()
    _print_json(plan, curve) if arguments.json else _print(plan, curve)
    return 0


def _chosen(arguments: argparse.Namespace, folder: Path) -> tuple[Problem, dict[str, Any]]:
    """The problem, and values of the configuration."""
    if arguments.data and arguments.study:
        raise UsageError("A curve is of --data or of a --study: leave one out.")
    if arguments.study:
        study = StudyStorage.open(arguments.storage, folder=folder).study(arguments.study)
        problem, values = problem_of(study), _trial_of(arguments, study.read())
    elif arguments.data:
        problem, values = open_problem(spec_of(arguments)), {}
    else:
        raise UsageError("A curve needs --data, or --study with the name of an existing study.")
    for pair in arguments.set:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"A value is given as NAME=VALUE; got {pair!r}.")
        values[name] = read_value(problem.space[name], text)
    chosen = problem.space.completed(values)
    if idle := sorted(values.keys() - chosen.keys()):
        raise UsageError(f"{', '.join(idle)} has no effect in this configuration.")
    return problem, values


def _trial_of(arguments: argparse.Namespace, table: Any) -> Configuration:
    row = table.best()
    if arguments.trial is not None:
        rows = np.flatnonzero(table.numbers == arguments.trial)
        row = int(rows[0]) if len(rows) else None
    if row is None:
        named = "trial with a value" if arguments.trial is None else f"trial {arguments.trial}"
        raise UsageError(f"The study {arguments.study!r} has no {named}.")
    configuration: Configuration = table.configuration(row)
    return configuration


def _plan(arguments: argparse.Namespace, problem: Problem, values: dict[str, Any]) -> CurvePlan:
    points = {} if arguments.points is None else {"n_points": arguments.points}
    if arguments.parameter:
        return plan_validation_curve(problem, values, arguments.parameter, **points)
    return plan_learning_curve(problem, problem.space.completed(values), **points)


def _announce(arguments: argparse.Namespace, plan: CurvePlan, fits: FitStore) -> None:
    if arguments.json:
        return
    cost = cost_of(plan, fits)
    known = f", {cost.n_known} of them known" if cost.n_known else ""
    seconds = cost.seconds / arguments.workers
    took = f", about {format_seconds(seconds)}" if np.isfinite(seconds) and seconds > 0 else ""
    print(f"{plan.problem.title}\n{cost.n_fits} fits{known}{took}", file=sys.stderr)


def _follow(run: CurveRun) -> None:
    left = f", {format_seconds(run.seconds_left)} left" if np.isfinite(run.seconds_left) else ""
    print(f"\r\x1b[K{run.n_done} of {run.plan.n_fits} fits{left}", end="", file=sys.stderr, flush=True)


def _print_json(plan: CurvePlan, curve: Curve) -> None:
    ahead = forecast(curve)
    print_json(
        {
            "kind": plan.kind,
            "over": plan.label,
            "metric": plan.problem.spec.metric,
            "direction": plan.problem.direction,
            "configuration": plan.points[plan.chosen].configuration,
            "places": list(curve.places),
            "chosen": curve.places[curve.chosen],
            "train": curve.train.tolist(),
            "valid": curve.valid.tolist(),
            "forecast": None if ahead is None else asdict(ahead),
            "findings": list(in_words(curve)),
        }
    )


def _print(plan: CurvePlan, curve: Curve) -> None:
    frame = curve_numbers(curve)
    heads = {name: name for name in frame.columns if not name.startswith("sd ")}
    rows = [
        {name: format_value(row[name]) if name == curve.label else _cell(row[name]) for name in heads}
        for row in frame.to_dict("records")
    ]
    print_rows([{**row, "": "*" if i == curve.chosen else ""} for i, row in enumerate(rows)], [*heads, ""])
    print(*in_words(curve), sep="\n")


def _cell(value: Any) -> str:
    return format_score(value) if isinstance(value, float) else str(value)
