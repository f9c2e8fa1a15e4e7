"""The last steps of `studies`: nested cross-validation, opening the locked rows, and locking them for good."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import numpy as np

from hpo_core.analysis.nested import Nested
from hpo_core.cli.printing import moment, print_json, print_rows
from hpo_core.errors import UsageError
from hpo_core.formats import format_count, format_score, format_seconds, format_signed, format_within
from hpo_core.search import problem_of
from hpo_core.search.errand import Errand, Progress
from hpo_core.search.locked import Look, locked_rows, looks_at, seal, why_locked
from hpo_core.search.nesting import OUTER, ask_to_nest, nest, nested_cost, nested_of, nesting
from hpo_core.search.opening import ask_to_open, open_locked, opening
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study

_EVERY_SECONDS = 1.0


def add_arguments(name: str, verb: argparse.ArgumentParser) -> None:
    """Adds what one of these verbs takes beside the name of the study."""
    if name == "nested":
        verb.add_argument("--outer", type=int, default=OUTER, help=f"outer folds (default {OUTER})")
    if name == "open-locked":
        verb.add_argument("--trial", type=int, help="number of the chosen trial (default: the best)")
    if name in ("open-locked", "lock"):
        verb.add_argument("--yes", action="store_true", help="I know what this costs")


def nested(arguments: argparse.Namespace) -> int:
    """Does `studies nested`: repeats the study's newest search within outer folds, and prints what it is worth."""
    study = _storage(arguments).study(arguments.name)
    ask_to_nest(study, arguments.outer)
    run = study.runs.current()
    assert run is not None
    cost = nested_cost(study.read(), run, problem_of(study), arguments.outer)
    about = "" if math.isnan(cost.seconds) else f", about {format_seconds(cost.seconds)}"
    print(f"{arguments.outer} searches, about {cost.fits:,.0f} fits{about}.", file=sys.stderr)
    _followed(nesting(study), lambda: nest(study, data_folder(arguments.data_folder)))
    found = nested_of(study)
    if arguments.json:
        print_json({"study": study.name, "metric": study.metric, **({} if found is None else _figures(found))})
    elif found is not None:
        _print(found, study.metric)
    return 0 if found is not None and found.is_complete else 1


def open_locked_rows(arguments: argparse.Namespace) -> int:
    """Does `studies open-locked`: scores a trial and the default once on the locked rows."""
    storage = _storage(arguments)
    study = storage.study(arguments.name)
    problem = problem_of(study)
    if not arguments.yes:
        raise UsageError(
            f"Each look at the locked rows that a choice depends on makes them worth less; there have been "
            f"{len(looks_at(storage, problem))}. Do this last, with --yes."
        )
    number, configuration = _chosen(study, arguments.trial)
    ask_to_open(storage, study, configuration, f"trial {number}")
    made: list[Look] = []
    _followed(opening(study), lambda: made.extend(open_locked(storage, study, data_folder(arguments.data_folder))))
    rows = [_look(look) for look in looks_at(storage, problem)]
    if arguments.json:
        print_json({"study": study.name, "metric": study.metric, "made": [_look(one) for one in made], "looks": rows})
    else:
        for one in made:
            print(f"{one.what}: {study.metric} {format_score(one.score)} on the locked rows")
        print(f"{format_count(len(rows), 'look')} at these rows so far:")
        print_rows([{**row, "time": moment(row["time"])} for row in rows], ("time", "study", "what", "score"))
    return 0 if made else 1


def lock(arguments: argparse.Namespace) -> int:
    """Does `studies lock`: nobody looks at the rows again."""
    storage = _storage(arguments)
    study = storage.study(arguments.name)
    problem = problem_of(study)
    if why := why_locked(storage, problem):
        raise UsageError(why)
    if not arguments.yes:
        raise UsageError("The rows would be locked for good, for every study that shares them. Do it with --yes.")
    seal(study, problem)
    found = {"study": study.name, "state": "locked for good", "rows": locked_rows(problem)}
    print_json(found) if arguments.json else print(f"{study.name}: its locked rows are locked for good.")
    return 0


def _storage(arguments: argparse.Namespace) -> StudyStorage:
    return StudyStorage.open(arguments.storage, folder=arguments.data_folder)


def _chosen(study: Study, number: int | None) -> tuple[int, dict[str, Any]]:
    table = study.read()
    if number is None:
        row = table.best()
        if row is None:
            raise UsageError(f"The study {study.name!r} has no trial with a value, so nothing was chosen.")
    else:
        rows = np.flatnonzero((table.numbers == number) & table.is_complete)
        if not len(rows):
            raise UsageError(f"The study {study.name!r} has no finished trial {number}.")
        row = int(rows[0])
    return int(table.numbers[row]), table.configuration(row)


def _followed(errand: Errand, work: Callable[[], object]) -> None:
    """Does the work, with its progress on a terminal."""
    over = Event()

    def follow() -> None:
        while not over.wait(_EVERY_SECONDS):
            print(f"\r\x1b[K{_in_words(errand.state().progress)}", end="", file=sys.stderr, flush=True)

    thread = Thread(target=follow, daemon=True)
    is_shown = sys.stderr.isatty()
    if is_shown:
        thread.start()
    try:
        work()
    finally:
        over.set()
        if is_shown:
            thread.join()
            print(file=sys.stderr)


def _in_words(progress: Progress) -> str:
    left = "" if progress.seconds_left is None else f" · {format_seconds(progress.seconds_left)} left"
    return f"{progress.doing}{left}"


def _look(look: Look) -> dict[str, Any]:
    return {"time": look.time, "study": look.study, "what": look.what, "score": look.score}


def _figures(found: Nested) -> dict[str, Any]:
    return {
        "method": found.method,
        "budget": found.budget,
        "n_outer": found.n_outer,
        "n_done": len(found.folds),
        "score": found.score,
        "half_width": found.half_width,
        "own_best": found.own_best,
        "default": found.default,
        "study_best": found.study_best,
        "gain": found.to_default.mean,
        "gain_half_width": found.to_default.half_width,
        "gain_verdict": found.to_default.verdict,
        "folds": [
            {
                name: getattr(fold, name)
                for name in ("fold", "own_best", "score", "default", "n_trials", "configuration")
            }
            for fold in found.folds
        ],
    }


def _print(found: Nested, metric: str) -> None:
    rows = [{"fold": fold.fold + 1, "own best": fold.own_best, "outer": fold.score, "default": fold.default}
            for fold in found.folds]  # fmt: skip
    print_rows(rows, ("fold", "own best", "outer", "default"))
    width = "" if math.isnan(found.half_width) else f" ± {found.half_width:.2g} (95 % interval)"
    print(f"nested   {metric} {format_within(found.score, found.half_width)}{width}; "
          f"the search's own best said {format_score(found.study_best)}")  # fmt: skip
    gain = found.to_default
    print(f"default  {metric} {format_score(found.default)} on the same folds: tuning {format_signed(gain.mean)}, "
          f"{gain.verdict}")  # fmt: skip
    if not found.is_complete:
        print(f"{len(found.folds)} of {found.n_outer} outer folds are done; the same command goes on.")
