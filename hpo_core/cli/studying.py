"""`studies`: list, show, advice, log, pause, resume, stop, delete, rename, narrow, finals, and the last steps."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np

from hpo_core.analysis.steering import lab_book
from hpo_core.analysis.stopping import N_MORE
from hpo_core.cli import finals, last_steps, narrowing, noting
from hpo_core.cli.printing import moment, print_json, print_rows
from hpo_core.cli.searching import add_budget, add_storage, follow, in_words_on_new_rows, outcome
from hpo_core.errors import StorageError, StudyBusyError, UsageError
from hpo_core.formats import format_value
from hpo_core.search import budget_of, problem_of, recover, recover_all, resume_run
from hpo_core.search.stop_watch import advice_on
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study
from hpo_core.studies.summary import StudySummary

_STOP_SECONDS = 10.0


def add_command(commands: Any) -> None:
    """Adds `studies` and what can be done with them."""
    studies = commands.add_parser("studies", help="look after studies")
    verbs = studies.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, run, text in _VERBS:
        verb = verbs.add_parser(name, help=text)
        if name != "list":
            verb.add_argument("name", metavar="NAME", help="name of the study")
        if name == "rename":
            verb.add_argument("new", metavar="NEW", help="new name")
        if name == "advice":
            verb.add_argument("--more", type=int, default=N_MORE, help=f"how many trials more (default {N_MORE})")
        if name == "narrow":
            narrowing.add_arguments(verb)
        if name == "finals":
            finals.add_arguments(verb)
        last_steps.add_arguments(name, verb)
        noting.add_arguments(name, verb)
        if name == "delete":
            verb.add_argument("--yes", action="store_true", help="do not ask")
        if name == "resume":
            add_budget(verb)
            verb.add_argument("--background", action="store_true", help="start a detached runner and return")
        add_storage(verb)
        verb.set_defaults(run=run)


def _storage(arguments: argparse.Namespace) -> StudyStorage:
    return StudyStorage.open(arguments.storage, folder=arguments.data_folder, by="command line")


def _list(arguments: argparse.Namespace) -> int:
    storage = _storage(arguments)
    with suppress(StorageError):  # a storage that may only be read is listed as it is
        recover_all(storage)
    rows = [_summary(s) for s in storage.summaries()]
    if arguments.json:
        print_json(rows)
    elif rows:
        shown = [{**row, "changed": moment(row["changed"])} for row in rows]
        columns = ("study", "state", "best_value", "metric", "n_trials", "n_failed", "method", "parent", "changed")
        print_rows(shown, columns if any(row["parent"] for row in rows) else [c for c in columns if c != "parent"])
    else:
        print(f"No studies in {storage.shown_url} yet. Start one with `search`.")
    return 0


def _summary(summary: StudySummary) -> dict[str, Any]:
    run = summary.run
    return {
        "study": summary.name,
        "state": run.state if run else "manual" if summary.is_lab else "other program",
        "best_value": summary.best_value,
        "metric": summary.metric,
        "direction": summary.direction,
        "n_trials": summary.n_trials,
        "n_complete": summary.n_complete,
        "n_pruned": summary.n_pruned,
        "n_failed": summary.n_failed,
        "method": run.settings.method if run else None,
        "parent": summary.parent,
        "created": summary.created,
        "changed": summary.changed,
    }


def _show(arguments: argparse.Namespace) -> int:
    storage = _storage(arguments)
    study = storage.study(arguments.name)
    with suppress(StorageError):
        recover(study)
    found = _details(storage, study)
    if arguments.json:
        print_json(found)
        return 0
    for name in ("study", "title", "state", "message", "method", "metric", "n_trials", "n_complete", "n_pruned",
                 "n_failed", "best_number", "best_value", "best_noise", "default_value", "storage"):  # fmt: skip
        value = found.get(name)
        if value not in (None, ""):
            print(f"{name:14} {format_value(value)}")
    if found["corrected_value"] is not None:
        print(f"{'on new rows':14} {in_words_on_new_rows(found)}")
    for name, value in (found["best_params"] or {}).items():
        print(f"  {name} = {value}")
    return 0


def _details(storage: StudyStorage, study: Study) -> dict[str, Any]:
    run, table = study.runs.current(), study.read()
    trials = [
        {
            "number": int(table.numbers[row]),
            "arm": str(table.arms[row]),
            "state": _STATES[int(table.states[row])],
            "value": float(table.values[row]),
            "params": table.configuration(row),
            "fold_scores": [float(s) for s in table.fold_scores[row] if np.isfinite(s)],
            "reason": str(table.reasons[row]),
        }
        for row in range(len(table))
    ]
    details = {
        **outcome(storage, study, run),
        "title": study.attributes.get("title"),
        "budget": {"kind": run.budget.kind, "amount": run.budget.amount} if run else None,
        "spent": {"trials": run.spent.trials, "fits": run.spent.fits, "seconds": run.spent.seconds} if run else None,
        "n_in_flight": len(run.live.in_flight) if run and run.is_active else 0,
    }
    return {**details, "trials": trials}


def _advice(arguments: argparse.Namespace) -> int:
    study = _storage(arguments).study(arguments.name)
    run = study.runs.current()
    settings = run.settings if run else RunSettings(method="auto")
    advice = advice_on(problem_of(study), study.read(), settings, arguments.more)
    if arguments.json:
        print_json({"study": study.name, "metric": study.metric, "method": settings.method, **asdict(advice)})
    else:
        print(f"{advice.verdict}: {advice.evidence}")
    return 0


def _log(arguments: argparse.Namespace) -> int:
    study = _storage(arguments).study(arguments.name)
    log = lab_book(study.read())
    if arguments.json:
        print_json([{"time": entry.time, "what": entry.words, "by": entry.by or None} for entry in log])
    elif log:
        print_rows([{"when": moment(entry.time), "what": entry.words, "by": entry.by} for entry in log], _LOG_COLUMNS)
    else:
        print(f"Nothing was done to {study.name} but trials.")
    return 0


_LOG_COLUMNS = ("when", "what", "by")
_STATES = {0: "running", 1: "complete", 2: "pruned", 3: "failed", 4: "waiting"}


def _pause(arguments: argparse.Namespace) -> int:
    study = _active(arguments)
    study.runs.ask_for("paused")
    return _say(arguments, study, "paused")


def _stop(arguments: argparse.Namespace) -> int:
    study = _active(arguments)
    study.runs.ask_for("stopped")
    deadline = time.monotonic() + _STOP_SECONDS
    while (run := study.runs.current()) and run.is_active and time.monotonic() < deadline:
        time.sleep(0.05)
    if run and run.is_active:
        raise StudyBusyError(f"The runner of {study.name!r} has not stopped within {_STOP_SECONDS:g} s.")
    return _say(arguments, study, "stopped")


def _active(arguments: argparse.Namespace) -> Study:
    study = _storage(arguments).study(arguments.name)
    recover(study)
    run = study.runs.current()
    if run is None or not run.is_active:
        state = run.state if run else "without a run"
        raise UsageError(f"The study {study.name!r} is {state}: nothing is running. Start it with `studies resume`.")
    return study


def _resume(arguments: argparse.Namespace) -> int:
    storage = _storage(arguments)
    study = storage.study(arguments.name)
    budget = _budget(arguments)
    run = study.runs.current()
    if run is not None and run.is_active:
        if budget is not None:
            study.runs.set_budget(budget)
        study.runs.ask_for("running")
        return _say(arguments, study, "running")
    return follow(arguments, storage, study, resume_run(study, budget), data_folder(arguments.data_folder))


def _budget(arguments: argparse.Namespace) -> Budget | None:
    given = (arguments.trials, arguments.fits, arguments.seconds)
    return None if given == (None, None, None) else budget_of(*given)


def _delete(arguments: argparse.Namespace) -> int:
    storage = _storage(arguments)
    study = storage.study(arguments.name)
    recover(study)
    if sys.stdin.isatty() and not arguments.yes:
        answer = input(f"Delete {study.name} with its {len(study.read())} trials? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            raise UsageError(f"{study.name} is kept.")
    storage.delete(study.name)
    return _say(arguments, study, "deleted")


def _rename(arguments: argparse.Namespace) -> int:
    storage = _storage(arguments)
    storage.rename(arguments.name, arguments.new)
    return _say(arguments, storage.study(arguments.new), "renamed")


def _say(arguments: argparse.Namespace, study: Study, state: str) -> int:
    if arguments.json:
        print_json({"study": study.name, "state": state})
    else:
        print(f"{study.name}: {state}.")
    return 0


_VERBS = (
    ("list", _list, "list all studies"),
    ("show", _show, "show one study"),
    ("advice", _advice, "say whether more trials are worth it, and what they would cost"),
    ("log", _log, "say what was done to a study, by whom and when"),
    ("note", noting.note, "write a note on a study, or on one of its trials"),
    ("notes", noting.notes, "say what was written on a study and its trials"),
    ("pause", _pause, "pause a running search"),
    ("resume", _resume, "go on with a paused, stopped or interrupted search, or give a finished one more budget"),
    ("stop", _stop, "stop a running search; nothing that is finished is lost"),
    ("delete", _delete, "delete a study and its trials"),
    ("rename", _rename, "give a study another name"),
    ("finals", finals.hold, "score the best again on fresh folds, and say who wins or that they are tied"),
    ("narrow", narrowing.narrow, "begin a child study within other ranges, with the trials that fit"),
    (
        "nested",
        last_steps.nested,
        "repeat the search within outer folds: what it is worth on rows it did not choose by",
    ),
    ("open-locked", last_steps.open_locked_rows, "score the best trial and the default once on the locked rows"),
    ("lock", last_steps.lock, "lock the locked rows for good"),
)
