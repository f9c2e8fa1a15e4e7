"""`studies finals`: the best of a study scored again on fresh folds, and who wins or that they are tied."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hpo_core.analysis.finals import FinalsVerdict, Ranked, fresh_in_words
from hpo_core.cli.printing import moment, print_json, print_rows
from hpo_core.errors import StudyBusyError, TuningError, UsageError
from hpo_core.formats import format_count, format_score, format_seconds
from hpo_core.problem import Problem
from hpo_core.search import problem_of
from hpo_core.search.finalists import Pace, choose_finalists, choose_trials, suited_draws, why_no_fresh_folds
from hpo_core.search.finals_process import Watch, hold_here, start_finals
from hpo_core.search.finals_round import FinalsFound, FinalsRound, ask_for_finals, finals_of, stop_finals
from hpo_core.search.judging import finalist_name, verdict_on_finals
from hpo_core.studies.storage import StudyStorage, data_folder
from hpo_core.studies.study import Study

_TOP = 5


def add_arguments(verb: Any) -> None:
    """Adds what is scored, how often, and where."""
    verb.add_argument("--top", type=int, default=_TOP, help=f"best configurations, the default beside (default {_TOP})")
    verb.add_argument("--trial", type=int, action="append", default=[], metavar="N", help="this trial instead; several")
    verb.add_argument("--repeats", type=int, help="draws of fresh folds (default 3, or more for ten scores each)")
    verb.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
    verb.add_argument("--background", action="store_true", help="start a process of its own and return")
    verb.add_argument("--cancel", action="store_true", help="cancel the round under way")


def hold(arguments: argparse.Namespace) -> int:
    """Does `studies finals`."""
    folder = data_folder(arguments.data_folder)
    storage = StudyStorage.open(arguments.storage, folder=folder)
    study = storage.study(arguments.name)
    if arguments.cancel:
        return _cancel(arguments, study)
    problem = problem_of(study)
    asked = _asked(arguments, study, problem)
    if arguments.background:
        start_finals(storage, study, asked, folder)
        started = {"study": study.name, "state": "starting"}
        print_json(started) if arguments.json else print(f"{study.name}: its finalists are scored in the background.")
        return 0
    with watching() as watch:
        hold_here(study, asked, folder, watch)
    now = finals_of(study)
    if now is None or now.state != "finished" or now.found is None:
        raise TuningError(f"The round has not come to its end. {now.fault if now is not None else ''}".strip())
    print_json({"study": study.name, **figures(problem, now.found)}) if arguments.json else _print(problem, now.found)
    return 0 if verdict_on_finals(problem, now.found).leader is not None else 1


def _cancel(arguments: argparse.Namespace, study: Study) -> int:
    now = finals_of(study)
    if now is None or not now.is_active:
        raise UsageError(f"No finalists round of the study {study.name!r} is under way.")
    stop_finals(study)
    print_json({"study": study.name, "state": "stopped"}) if arguments.json else print(f"{study.name}: cancelled.")
    return 0


def _asked(arguments: argparse.Namespace, study: Study, problem: Problem) -> FinalsRound:
    if why := why_no_fresh_folds(problem.spec):
        raise UsageError(why)
    if not 1 <= arguments.workers <= 256:
        raise UsageError(f"Workers must be a whole number from 1 to 256; got {arguments.workers}.")
    table = study.read()
    if strange := sorted(set(arguments.trial) - set(table.numbers.tolist())):
        raise UsageError(f"The study {study.name!r} has no trial {strange[0]}.")
    chosen = (
        choose_trials(problem, table, arguments.trial)
        if arguments.trial
        else choose_finalists(problem, table, arguments.top)
    )
    if (now := finals_of(study)) is not None and now.is_active:
        raise StudyBusyError(f"A finalists round of the study {study.name!r} is under way. Wait, or use --cancel.")
    repeats = suited_draws(problem.spec) if arguments.repeats is None else arguments.repeats
    return ask_for_finals(study, chosen, repeats, workers=arguments.workers, n_trials=int(table.is_complete.sum()))


@contextmanager
def watching(prefix: str = "scoring on fresh folds") -> Iterator[Watch]:
    """Follows a round in one line on standard error; silent when that is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return

    def show(pace: Pace) -> None:
        left = "" if pace.seconds_left is None else f" · {format_seconds(pace.seconds_left)} left"
        print(f"\r\x1b[K{prefix}: {pace.done} of {pace.total} fits{left}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        print(file=sys.stderr)


def figures(problem: Problem, found: FinalsFound) -> dict[str, Any]:
    """What a round has found, for programs."""
    verdict = verdict_on_finals(problem, found)
    return {
        "verdict": list(verdict.sentences),
        "folds": found.folds,
        "repeats": found.plan.draws,
        "ended": found.ended,
        "equivalent_within": verdict.rope,
        "finalists": [_figures_of(problem, found, verdict, one) for one in verdict.ranked],
    }


def _figures_of(problem: Problem, found: FinalsFound, verdict: FinalsVerdict, one: Ranked) -> dict[str, Any]:
    finalist, fresh, against = found.plan.finalists[one.place], found.scores[one.place], one.judgement
    return {
        "trial": finalist.trial,
        "arm": finalist.arm,
        "name": finalist_name(problem, finalist),
        "params": finalist.configuration,
        "value": finalist.value,
        "fresh_mean": one.mean,
        "fresh_half_width": one.half_width,
        "fresh_scores": list(fresh.scores),
        "is_leader": one is verdict.leader,
        "is_tied": one.is_tied,
        "leader_ahead_by": against.mean if against else None,
        "p_value": against.p_value if against else None,
        "reason": fresh.why,
    }


def _print(problem: Problem, found: FinalsFound) -> None:
    verdict = verdict_on_finals(problem, found)
    rows = []
    for one in verdict.ranked:
        finalist = found.plan.finalists[one.place]
        rows.append(
            {
                "finalist": finalist_name(problem, finalist),
                "in the search": finalist.value,
                "on fresh folds": fresh_in_words(one) if math.isfinite(one.mean) else "failed",
                "to the leader": _standing(verdict, one),
            }
        )
    print_rows(rows, tuple(rows[0]))
    print("\n".join(verdict.sentences))
    for finalist, fresh in zip(found.plan.finalists, found.scores, strict=True):
        if fresh.why:
            print(f"{finalist_name(problem, finalist)}: {fresh.why}")
    n_scores = max(len(fresh.scores) for fresh in found.scores)
    print(f"{format_count(n_scores, 'fresh fold')} each ({found.folds}, drawn {found.plan.draws} ×), "
          f"{moment(found.ended)}")  # fmt: skip


def _standing(verdict: FinalsVerdict, one: Ranked) -> str:
    if one is verdict.leader:
        return "leads"
    if one.judgement is None:
        return ""
    return "tied with the best" if one.is_tied else f"worse by {format_score(one.judgement.mean)}"
