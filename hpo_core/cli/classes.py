"""`class`: the classes of the lab, how one stands, and its results as a table, JSON or CSV."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from hpo_core.cli.printing import print_json, print_rows
from hpo_core.cli.searching import add_storage
from hpo_core.errors import UsageError
from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.search.class_results import ClassResults, is_scored, people_so_far, results_frame, results_of
from hpo_core.search.classroom import Classroom, classes, open_class
from hpo_core.studies.storage import StudyStorage, data_folder


def add_command(commands: Any) -> None:
    """Adds `class` with its verbs."""
    verbs = commands.add_parser("class", help="look at classes").add_subparsers(required=True, metavar="VERB")
    for name, about, run in (
        ("list", "all classes", _list),
        ("show", "who is how far in a class", _show),
        ("results", "what came of a class", _results),
    ):
        verb = verbs.add_parser(name, help=about)
        if name != "list":
            verb.add_argument("code", help="its code")
        if name == "results":
            verb.add_argument("--csv", action="store_true", help="print comma-separated values, all digits")
        add_storage(verb)
        verb.set_defaults(run=run)


def _list(arguments: argparse.Namespace) -> int:
    rows = [_summary(room) for room in classes(_storage(arguments))]
    if arguments.json:
        print_json(rows)
    elif rows:
        print_rows(rows, tuple(rows[0]))
    else:
        print("There are no classes yet.")
    return 0 if rows else 1


def _show(arguments: argparse.Namespace) -> int:
    room = open_class(_storage(arguments), arguments.code)
    people = [{"name": one.name, "tries": one.n_tries, "best": one.best} for one in people_so_far(room.duel)]
    if arguments.json:
        print_json({**_summary(room), "people": people})
        return 0
    print("  ".join(f"{name} {value}" for name, value in _summary(room).items()))
    print_rows(people, ("name", "tries", "best"))
    return 0


def _results(arguments: argparse.Namespace) -> int:
    room = open_class(_storage(arguments), arguments.code)
    if not is_scored(room.duel) or room.state != "over":
        raise UsageError("There are no results yet: the teacher ends the class, then what was chosen is scored.")
    results = results_of(room.duel)
    if arguments.csv:
        sys.stdout.write(csv_bytes(results_frame(results)).decode())
    elif arguments.json:
        print_json({**_summary(room), "verdict": list(results.sentences), "results": _rows(results)})
    else:
        rows = _rows(results)
        print_rows(rows, tuple(rows[0]))
        print("\n".join(results.sentences))
    return 0


def _rows(results: ClassResults) -> list[dict[str, Any]]:
    frame = results_frame(results).astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in frame.where(frame.notna(), None).to_dict("records")
    ]


def _summary(room: Classroom) -> dict[str, Any]:
    plan = room.duel.plan
    return {
        "code": room.code,
        "name": plan.name,
        "state": room.state,
        "people": len(room.duel.people),
        "tries": int(plan.budget.amount),
        "problem": room.duel.title,
    }


def _storage(arguments: argparse.Namespace) -> StudyStorage:
    folder = data_folder(arguments.data_folder)
    return StudyStorage.open(arguments.storage, folder=folder, by="command line")
