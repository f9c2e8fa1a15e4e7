"""`glossary`: the words of the lab, or the meaning of one."""

from __future__ import annotations

import argparse
from typing import Any

from hpo_core.cli.printing import print_json, print_rows
from hpo_core.glossary import TERMS, Term, term_named


def add_command(commands: Any) -> None:
    """Adds `glossary`."""
    command = commands.add_parser("glossary", help="list the words of the lab, or say what one means")
    command.add_argument("term", nargs="?", metavar="TERM", help="a word of the lab, in any case")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_glossary)


def _glossary(arguments: argparse.Namespace) -> int:
    if arguments.term is None:
        return _all(arguments.json)
    term = term_named(arguments.term)
    if arguments.json:
        print_json(_row(term))
        return 0
    print(f"{term.name}: {term.meaning}")
    for label, words in (("also", term.aliases), ("see", term.see), ("source", (term.source,))):
        if any(words):
            print(f"  {label}: {', '.join(words)}")
    return 0


def _all(is_json: bool) -> int:
    rows = [_row(term) for term in TERMS]
    if is_json:
        print_json(rows)
    else:
        print_rows(rows, ("name", "meaning"))
    return 0


def _row(term: Term) -> dict[str, Any]:
    return {
        "name": term.name,
        "meaning": term.meaning,
        "see": list(term.see),
        "aliases": list(term.aliases),
        "source": term.source,
    }
