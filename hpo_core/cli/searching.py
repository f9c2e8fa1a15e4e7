"""`search`: an automated search of a problem, to its end in this process or in the background."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.analysis.optimism import corrected_best
from hpo_core.analysis.study_comparison import overlap_of_study
from hpo_core.cli.finals import figures, watching
from hpo_core.cli.printing import ProgressLine, print_json
from hpo_core.errors import TuningError, UsageError
from hpo_core.fit_result import SECOND_OBJECTIVES
from hpo_core.formats import format_score, format_seconds, format_value, format_within
from hpo_core.methods import METHODS
from hpo_core.metrics import ideal_of_name
from hpo_core.options import options_of, with_options
from hpo_core.pareto import is_on_front
from hpo_core.problem import Problem, ProblemSpec, open_problem
from hpo_core.protocol import Protocol
from hpo_core.pruning import PRUNING
from hpo_core.search import budget_of, check_run, execute, problem_of, start_detached, start_run, study_for
from hpo_core.search.finals_process import fits_after, hold_after
from hpo_core.search.finals_round import finals_of
from hpo_core.search.suitability import suited_pruning
from hpo_core.studies.run import Run, RunSettings
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_TEXTS = ("choice", "parameter", "text")  # kinds of options whose values are not read as JSON


def add_command(commands: Any) -> None:
    """Adds `search`."""
    command = commands.add_parser("search", help="search a problem with one method")
    add_problem(command)
    how = command.add_argument_group("search")
    how.add_argument("--method", default="auto", help="search method, see `methods` (default auto)")
    how.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="option of the method")
    add_budget(how)
    how.add_argument("--seed", type=int, default=0, help="seed of the method (default 0)")
    how.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
    how.add_argument(
        "--pruning", choices=PRUNING.keys, help="rule between folds, see `pruning` (default: the method's)"
    )
    how.add_argument("--pruning-option", action="append", default=[], metavar="NAME=VALUE", help="option of the rule")
    how.add_argument(
        "--stop-when",
        type=_stops_when,
        metavar="GAIN",
        help="end when 20 more trials are expected to gain less than this figure, or than the `noise` (default: never)",
    )
    how.add_argument("--fit-seconds", type=float, help="a fit that takes longer fails its trial")
    how.add_argument("--no-default", action="store_true", help="do not begin with the default configuration")
    how.add_argument("--alone", action="store_true", help="do not learn from trials of other arms")
    how.add_argument("--background", action="store_true", help="start a detached runner and return")
    how.add_argument("--study", default="", help="name of the study (default: a free one)")
    add_storage(command)
    command.set_defaults(run=run)


def add_problem(command: Any) -> None:
    """Adds what describes a problem."""
    problem = command.add_argument_group("problem")
    problem.add_argument(
        "--data", help="bundled data set, landscape, or a CSV or Parquet file; not needed with an existing --study"
    )
    problem.add_argument("--target", help="target column of a file")
    problem.add_argument("--task", choices=["classification", "regression"], help="override the detected task")
    problem.add_argument("--model", default="", help="model family, see `models`")
    problem.add_argument("--metric", default="", help="metric, see `metrics`, or any scikit-learn scorer")
    problem.add_argument("--protocol", choices=["kfold", "holdout", "grouped", "time"], default="kfold")
    problem.add_argument("--folds", type=int, default=5, help="folds (default 5)")
    problem.add_argument("--repeats", type=int, default=1, help="repeats of the division (default 1)")
    problem.add_argument("--column", help="column of the groups or of the times")
    problem.add_argument("--test-fraction", type=float, default=0.2, help="share locked away for the end (default 0.2)")
    problem.add_argument("--split-seed", type=int, default=0, help="seed of folds and models (default 0)")
    problem.add_argument("--noise", type=float, default=0.0, help="landscapes: noise of a look, in typical heights")
    problem.add_argument("--second", default="", help=f"second objective: {', '.join(SECOND_OBJECTIVES)}")


def add_budget(group: Any) -> None:
    """Adds the three kinds of budget."""
    group.add_argument("--trials", type=int, help="budget in trials (default 50)")
    group.add_argument("--fits", type=int, help="budget in fits")
    group.add_argument("--seconds", type=float, help="budget in seconds")


def add_storage(command: Any) -> None:
    """Adds where studies are kept, and how to print."""
    command.add_argument("--storage", help="database URL or file (default: lab.db in the data folder)")
    command.add_argument("--data-folder", help="data folder (default: $TUNING_LAB_DATA, else the user's own)")
    command.add_argument("--json", action="store_true", help="print one JSON value on standard output, nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Does `search`."""
    budget = budget_of(arguments.trials, arguments.fits, arguments.seconds)
    folder = data_folder(arguments.data_folder)
    storage = StudyStorage.open(arguments.storage, folder=folder, by="command line")
    problem = _problem(arguments, storage)
    settings = _settings(arguments, problem)
    check_run(problem, settings, budget)
    study = study_for(storage, problem, arguments.study)
    _say(arguments, problem.title, *problem.notes, *_size_of(settings, problem))
    return follow(arguments, storage, study, start_run(study, settings, budget), folder)


def follow(arguments: argparse.Namespace, storage: StudyStorage, study: Study, run: Run, folder: Path) -> int:
    """Does a waiting run here or, with --background, in a process of its own, and prints what came of it."""
    if arguments.background:
        start_detached(storage, study, run, folder)
        started = {"study": study.name, "storage": storage.shown_url, "state": "starting"}
        print_json(started) if arguments.json else print(f"{study.name} is searching in the background.")
        return 0
    progress = ProgressLine(study)
    try:
        ended = execute(study, run, folder, progress)
    finally:
        progress.close()
    with suppress(KeyboardInterrupt), watching() as watch:  # the search itself is over: it is not lost
        hold_after(study, ended, folder, watch)
    found = outcome(storage, study, ended)
    print_json(found) if arguments.json else _print_outcome(found, ended)
    return 0 if found["best_value"] is not None else 1


def outcome(storage: StudyStorage, study: Study, run: Run | None) -> dict[str, Any]:
    """What a study has come to, as `search --json` prints it."""
    table = study.read()
    best = table.best()
    complete, pruned, failed = (int(mask.sum()) for mask in (table.is_complete, table.is_pruned, table.is_failed))
    return {
        "study": study.name,
        "storage": storage.shown_url,
        "method": run.settings.method if run else None,
        "seed": run.settings.seed if run else None,
        "metric": study.metric,
        "direction": study.direction,
        "n_trials": len(table),
        "n_complete": complete,
        "n_pruned": pruned,
        "n_failed": failed,
        "best_number": None if best is None else int(table.numbers[best]),
        "best_value": None if best is None else float(table.values[best]),
        "best_noise": None if best is None else float(table.noise[best]),
        **_on_new_rows(study, table),
        "best_params": None if best is None else table.configuration(best),
        "default_value": _default_value(study, table),
        "front": front_of(study, table),
        "finals": _finals(study),
        "seconds": run.spent.seconds if run else 0.0,
        "state": run.state if run else None,
        "message": run.message if run else "",
        "reasons": sorted({str(r) for r in table.reasons if r}),
    }


def _finals(study: Study) -> dict[str, Any] | None:
    """What the last finalists round of a study has found; None before."""
    now = finals_of(study)
    if now is not None and now.found is not None:
        with suppress(TuningError):  # its data may be gone
            return figures(problem_of(study), now.found)
    return None


def _on_new_rows(study: Study, table: TrialTable) -> dict[str, Any]:
    """What the best is worth without the luck of being picked, and its 95 % interval; None where it cannot be told."""
    found = corrected_best(table, overlap=overlap_of_study(study), ideal=ideal_of_name(study.metric))
    low, high = (None, None) if found is None else found.interval
    return {"corrected_value": None if found is None else found.value, "corrected_low": low, "corrected_high": high}


def front_of(study: Study, table: TrialTable) -> list[dict[str, Any]]:
    """The trials that no other beats in both objectives, best score first; empty for studies of one objective."""
    if len(study.objectives) < 2 or study.objectives[1].name not in SECOND_OBJECTIVES:
        return []
    second = study.objectives[1].name
    costs = table.mean_of(second)
    rows = np.flatnonzero(table.is_complete & np.isfinite(table.values) & np.isfinite(costs))
    rows = rows[is_on_front(np.column_stack([table.sign * table.values[rows], costs[rows]]))]
    rows = rows[np.argsort(table.sign * table.values[rows], kind="stable")]
    return [{"number": int(table.numbers[r]), "value": float(table.values[r]), second: float(costs[r])} for r in rows]


def _default_value(study: Study, table: TrialTable) -> float | None:
    rows = np.flatnonzero(table.is_complete & (table.arms == "default"))
    if len(rows):
        return float(table.values[rows[0]])
    space = study.space()
    default = None if space is None else space.default()
    same = (r for r in np.flatnonzero(table.is_complete) if table.configuration(int(r)) == default)
    return next((float(table.values[r]) for r in same), None)


def _print_outcome(found: dict[str, Any], run: Run) -> None:
    print(f"{run.state}: {found['n_complete']} complete, {found['n_pruned']} pruned, {found['n_failed']} failed "
          f"in {format_seconds(found['seconds'])}")  # fmt: skip
    for sentence in [run.message, *found["reasons"][:3]]:
        if sentence:
            print(f"  {sentence}")
    if found["best_value"] is None:
        print("No trial has a value.")
    else:
        noise = found["best_noise"]
        spread = f" ± {format_score(noise)} (sd over folds)" if noise is not None and np.isfinite(noise) else ""
        print(f"best     {found['metric']} {format_score(found['best_value'])}{spread}, trial {found['best_number']}")
        if found["corrected_value"] is not None:
            print(f"new rows {found['metric']} {in_words_on_new_rows(found)}")
        print(f"default  {found['metric']} {format_score(found['default_value'])}")
        for sentence in found["finals"]["verdict"] if found["finals"] else ():
            print(f"finals   {sentence}")
        for name, value in found["best_params"].items():
            print(f"  {name} = {format_value(value)}")
    if found["front"]:
        print("front    trials that no other beats in both objectives")
        for entry in found["front"]:
            number, *values = entry.values()
            named = ", ".join(f"{n} {format_score(v)}" for n, v in zip(list(entry)[1:], values, strict=True))
            print(f"  trial {number}: {named}")
    print(f"study    {found['study']} in {found['storage']}")


def in_words_on_new_rows(found: dict[str, Any]) -> str:
    """What the best of an outcome is worth on new rows, with its interval."""
    value, low, high = (found[f"corrected_{name}"] for name in ("value", "low", "high"))
    about = format_within(value, high - value)
    return f"about {about} without the luck of picking (95 % interval {format_score(low)} to {format_score(high)})"


def _problem(arguments: argparse.Namespace, storage: StudyStorage) -> Problem:
    """What the options describe; without --data, the problem of the study that is named."""
    if arguments.data:
        return open_problem(spec_of(arguments))
    if not arguments.study:
        raise UsageError("A search needs --data, or --study with the name of an existing study.")
    named = [o for o in ("target", "task", "model", "metric", "column", "noise", "second") if getattr(arguments, o)]
    if named:
        raise UsageError(
            f"The study {arguments.study!r} has its problem already: leave out --{', --'.join(named)}, or give --data."
        )
    return problem_of(storage.study(arguments.study))


def spec_of(arguments: argparse.Namespace) -> ProblemSpec:
    """What the options of `add_problem` describe."""
    protocol = Protocol(
        kind=arguments.protocol,
        folds=arguments.folds,
        repeats=arguments.repeats,
        column=arguments.column,
        test_fraction=arguments.test_fraction,
        seed=arguments.split_seed,
    )
    return ProblemSpec(
        data=arguments.data,
        model=arguments.model,
        metric=arguments.metric,
        target=arguments.target,
        task=arguments.task,
        protocol=protocol,
        noise=arguments.noise,
        second=arguments.second,
    )


def _settings(arguments: argparse.Namespace, problem: Problem) -> RunSettings:
    pruning = arguments.pruning or suited_pruning(METHODS[arguments.method], problem)
    return RunSettings(
        method=arguments.method,
        options=options_from(METHODS[arguments.method], arguments.option),
        seed=arguments.seed,
        workers=arguments.workers,
        pruning=pruning,
        pruning_options=options_from(PRUNING[pruning], arguments.pruning_option),
        stops_when=arguments.stop_when,
        learns_from_manual=not arguments.alone,
        starts_with_default=not arguments.no_default,
        fit_seconds_limit=arguments.fit_seconds,
    )


def _stops_when(text: str) -> Any:
    """`noise` or a number; what else it is, `check_run` refuses."""
    return text if text == "noise" else float(text)


def options_from(item: object, pairs: list[str]) -> dict[str, Any]:
    """NAME=VALUE pairs by the kinds that an item declares; what is not JSON is text."""
    kinds = {o.name: o.kind for o in options_of(type(item))}
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UsageError(f"An option is given as NAME=VALUE; got {pair!r}.")
        options[name] = text if kinds.get(name) in _TEXTS else _value(text)
    return options


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _size_of(settings: RunSettings, problem: Problem) -> list[str]:
    size = with_options(METHODS[settings.method], settings.options).n_configurations(problem.space)
    label, n_after = METHODS[settings.method].label, fits_after(settings, problem)
    said = [] if size is None else [f"{label}: {size:,} configurations in all."]
    after = f"{label}: the best are scored again on fresh folds at the end, up to {n_after:,} fits beyond the budget."
    return [*said, after] if n_after else said


def _say(arguments: argparse.Namespace, *lines: str) -> None:
    if not arguments.json:
        print(*lines, sep="\n", file=sys.stderr)
