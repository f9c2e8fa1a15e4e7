"""`studies note` and `studies notes`: what a person writes on a study or a trial, and what was written."""

from __future__ import annotations

import argparse

from hpo_core.cli.printing import moment, print_json, print_rows
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study

_COLUMNS = ("when", "trial", "note", "by")


def add_arguments(name: str, verb: argparse.ArgumentParser) -> None:
    """Adds what `note` takes beside the name of the study."""
    if name == "note":
        verb.add_argument("text", metavar="TEXT", help="what to write")
        verb.add_argument("--trial", type=int, help="number of the trial that it is on (default: the study)")


def note(arguments: argparse.Namespace) -> int:
    """Does `studies note`: writes one."""
    study = _study(arguments)
    study.add_note(arguments.text, () if arguments.trial is None else (arguments.trial,))
    where = study.name if arguments.trial is None else f"trial {arguments.trial} of {study.name}"
    if arguments.json:
        print_json({"study": study.name, "trial": arguments.trial, "text": arguments.text.strip()})
    else:
        print(f"Noted on {where}.")
    return 0


def notes(arguments: argparse.Namespace) -> int:
    """Does `studies notes`: prints all, oldest first."""
    study = _study(arguments)
    found = study.read().notes
    if arguments.json:
        print_json([{"time": n.time, "trial": n.trial, "text": n.text, "by": n.by or None} for n in found])
    elif found:
        rows = [{"when": moment(n.time), "trial": n.trial, "note": " ".join(n.text.split()), "by": n.by} for n in found]
        print_rows(rows, _COLUMNS)
    else:
        print(f"Nobody has written a note on {study.name}.")
    return 0


def _study(arguments: argparse.Namespace) -> Study:
    storage = StudyStorage.open(arguments.storage, folder=arguments.data_folder, by="command line")
    return storage.study(arguments.name)
