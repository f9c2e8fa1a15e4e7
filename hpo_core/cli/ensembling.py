"""`ensemble`: the best trials of a study mixed into one predictor, and whether that helps."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from hpo_core.cli.printing import print_json, print_rows
from hpo_core.cli.searching import add_storage
from hpo_core.formats import format_score
from hpo_core.search import problem_of
from hpo_core.search.study_ensemble import StudyEnsemble, ensemble_of
from hpo_core.studies.storage import StudyStorage


def add_command(commands: Any) -> None:
    """Adds `ensemble`."""
    command = commands.add_parser("ensemble", help="mix the best trials of a study by greedy selection")
    command.add_argument("name", metavar="STUDY", help="name of the study")
    command.add_argument("--top", type=int, default=20, help="best trials that are fitted again (default 20)")
    command.add_argument("--rounds", type=int, default=50, help="models taken at most, repeats counted (default 50)")
    command.add_argument("--seed", type=int, default=0, help="seed of the halves of the cross-check (default 0)")
    add_storage(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does `ensemble`."""
    study = StudyStorage.open(arguments.storage, folder=arguments.data_folder).study(arguments.name)
    found = ensemble_of(
        problem_of(study),
        study.read(),
        top=arguments.top,
        n_rounds=arguments.rounds,
        seed=arguments.seed,
        on_progress=_follow if sys.stderr.isatty() else None,
    )
    if arguments.json:
        print_json({"study": study.name, "metric": study.metric, **_figures(found)})
    else:
        _print(found, study.metric)
    return 0


def _figures(found: StudyEnsemble) -> dict[str, Any]:
    return {**asdict(found), "members": [asdict(member) for member in found.members], "verdict": found.verdict}


def _print(found: StudyEnsemble, metric: str) -> None:
    rows = [
        {
            "trial": member.number,
            "weight": member.weight,
            metric: member.score,
            "family": member.configuration.get("family"),
        }
        for member in found.members
    ]
    has_families = any(row["family"] for row in rows)
    print_rows(rows, ("trial", "weight", metric, "family") if has_families else ("trial", "weight", metric))
    print(f"ensemble  {metric} {format_score(found.score)} on the rows that chose it, which flatters it")
    print(f"single    {metric} {format_score(found.best_score)}, trial {found.best_number}")
    print(found.verdict)
    for number, why in found.faults.items():
        print(f"trial {number} is left out: {why}")


def _follow(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r\x1b[Kfitting again: {done} of {total} trials", end=end, file=sys.stderr, flush=True)
