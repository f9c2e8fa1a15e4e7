"""`suggest`: what a method would try next on a study, without trying it."""

from __future__ import annotations

import argparse
import dataclasses
import math
from typing import Any

from hpo_core.cli.printing import print_json
from hpo_core.cli.searching import add_storage, options_from
from hpo_core.formats import format_score, format_value
from hpo_core.methods import METHODS
from hpo_core.search import Suggestion, problem_of, suggest
from hpo_core.studies.run import RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study


def add_command(commands: Any) -> None:
    """Adds `suggest`."""
    command = commands.add_parser("suggest", help="say what a method would try next on a study, without trying it")
    command.add_argument("name", metavar="STUDY", help="name of the study")
    command.add_argument("--method", default="gaussian_process", help="search method, see `methods`")
    command.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="option of the method")
    command.add_argument("--seed", type=int, default=0, help="seed of the method (default 0)")
    command.add_argument("--alone", action="store_true", help="do not learn from trials of other arms")
    add_storage(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does `suggest`."""
    study = StudyStorage.open(arguments.storage, folder=arguments.data_folder).study(arguments.name)
    settings = RunSettings(
        method=arguments.method,
        options=options_from(METHODS[arguments.method], arguments.option),
        seed=arguments.seed,
        learns_from_manual=not arguments.alone,
    )
    suggestion = suggest(problem_of(study), settings, study)
    if arguments.json:
        print_json({"study": study.name, **dataclasses.asdict(suggestion)})
    else:
        _print(study, suggestion)
    return 0


def _print(study: Study, suggestion: Suggestion) -> None:
    print(f"{METHODS[suggestion.method].label} would try next:")
    for name, value in suggestion.configuration.items():
        print(f"  {name} = {format_value(value)}")
    if math.isfinite(suggestion.mean):
        print(f"predicted  {study.metric} {format_score(suggestion.mean)} ± {format_score(suggestion.sd)} (sd)")
    print(*filter(None, (suggestion.why, suggestion.trust)), sep="\n")
