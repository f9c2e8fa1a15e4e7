"""`duel`: several arms on one problem, or on many, and the verdict as text, JSON or a page of HTML."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.analysis.suite import Standing
from hpo_core.cli.printing import print_json, print_rows
from hpo_core.cli.searching import add_budget, add_problem, add_storage, spec_of
from hpo_core.errors import UsageError
from hpo_core.export import duel_report
from hpo_core.formats import format_count, format_score
from hpo_core.problem import Problem, open_problem
from hpo_core.search import budget_of
from hpo_core.search.duel import DEFAULT, MANUAL, DuelArm, make_duel, open_duel
from hpo_core.search.dueling import fight, is_over
from hpo_core.search.suite import Bout, bouts_of, make_suite, standing_of
from hpo_core.search.suite_plan import PRESETS, Preset
from hpo_core.studies.run import Budget
from hpo_core.studies.storage import StudyStorage, data_folder


def add_command(commands: Any) -> None:
    """Adds `duel`."""
    command = commands.add_parser("duel", help="let methods tune the same problem under one budget, and judge them")
    add_problem(command)
    group = command.add_argument_group("duel")
    group.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="METHOD[*TIMES]",
        help="a search method, `default`, or as `random*2` with twice the budget; may be given several times "
        "(default: auto, tpe, random, default)",
    )
    group.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="DATA[:MODEL]",
        help="another problem for the same arms; may be given several times, and ranks the arms over all",
    )
    group.add_argument(
        "--preset",
        choices=[preset.key for preset in PRESETS],
        help="a set of problems instead of --data: " + ", ".join(preset.label.lower() for preset in PRESETS),
    )
    group.add_argument("--seeds", type=int, default=3, help="searches of each method (default 3)")
    group.add_argument("--finals", type=int, help="draws of fresh folds for what was chosen (default 3 or more)")
    group.add_argument("--fit-seconds", type=float, help="a fit that takes longer fails (default: no limit)")
    group.add_argument("--name", default="", help="name of the duel (default: a free one)")
    group.add_argument(
        "--open-locked", action="store_true", help="at the end, score what was chosen on the locked rows; it is counted"
    )
    group.add_argument("--html", metavar="FILE", help="write the verdict as a page of HTML as well")
    add_budget(command)
    add_storage(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does `duel`."""
    if bool(arguments.data) == bool(arguments.preset):
        raise UsageError("A duel needs --data, or --preset for a suite of problems; one of them.")
    folder = data_folder(arguments.data_folder)
    storage = StudyStorage.open(arguments.storage, folder=folder, by="command line")
    arms = [_arm(text, arguments.seeds) for text in arguments.arm or ("auto", "tpe", "random", "default")]
    budget = budget_of(arguments.trials, arguments.fits, arguments.seconds)
    title, keys = _made(arguments, storage, arms, budget)
    _say(arguments, f"{title}: {format_count(len(keys), 'problem')}")
    fight(storage, folder, *keys, on_searched=lambda member: _say(arguments, f"{member.study.name}: searched"))
    if arguments.open_locked:
        _open_locked(storage, folder, keys)
    bouts = bouts_of([open_duel(storage, key) for key in keys])
    if faults := [fault for bout in bouts if (fault := bout.duel.control.get("fault"))]:
        raise UsageError(f"The duel broke off. {' '.join(faults)}")
    standing = standing_of([(bout, is_over(bout.duel)) for bout in bouts]) if len(bouts) > 1 else None
    if arguments.html:
        Path(arguments.html).write_text(duel_report(bouts, standing, title), encoding="utf-8")
    if arguments.json:
        print_json({"duels": [_figures(bout) for bout in bouts], "ranking": _ranks(standing)})
    else:
        for bout in bouts:
            _print(bout)
        if standing is not None:
            print("\n".join(_standing_words(standing)))
    return 0 if all(bout.outcome and bout.outcome.order for bout in bouts) else 1


def _made(
    arguments: argparse.Namespace, storage: StudyStorage, arms: list[DuelArm], budget: Budget
) -> tuple[str, list[str]]:
    """A new duel, or a suite where there are several problems: its name, and the keys of its duels."""
    problems = _problems(arguments)
    own = {"name": arguments.name, "finals": arguments.finals, "fit_seconds": arguments.fit_seconds}
    if len(problems) == 1:
        plan = make_duel(storage, problems[0], arms, budget, **own).plan
        return plan.name, [plan.key]
    suite = make_suite(storage, problems, arms, budget, **own)
    return suite.name, [duel.plan.key for duel in suite.duels]


def _open_locked(storage: StudyStorage, folder: Path, keys: list[str]) -> None:
    for key in keys:
        open_duel(storage, key).ask(opens_lock=True)
    fight(storage, folder, *keys)


def _arm(text: str, seeds: int) -> DuelArm:
    method, star, times = text.partition("*")
    if star and not times.isdigit():
        raise UsageError(f"An arm is a method, or METHOD*TIMES with a whole number; got {text!r}.")
    if method == MANUAL:
        raise UsageError("A person plays on the page Duel of the lab, not on the command line.")
    return DuelArm(method, 1 if method == DEFAULT else seeds, int(times) if star else 1)


def _problems(arguments: argparse.Namespace) -> list[Problem]:
    first = spec_of(arguments)
    specs = [first] if arguments.data else list(_preset(arguments).specs)
    for text in arguments.also:
        data, _, model = text.partition(":")
        specs.append(replace(first, data=data, model=model, target=None, task=None))
    return [open_problem(spec) for spec in specs]


def _preset(arguments: argparse.Namespace) -> Preset:
    return next(preset for preset in PRESETS if preset.key == arguments.preset)


def _print(bout: Bout) -> None:
    duel, sides, verdict = bout.duel, bout.sides, bout.outcome
    print(f"{duel.plan.name}: {duel.title}")
    if verdict is None:
        print("No arm has a score.")
        return
    rows = [
        {
            "arm": sides[i].label,
            "fresh folds" if verdict.is_final else "without luck": verdict.means[i],
            "best found": sides[i].best_found,
        }
        for i in verdict.order
    ]
    print_rows(rows, tuple(rows[0]))
    print("\n".join(verdict.sentences))
    looks = [(m.arm, found["score"]) for m in duel.members if (found := m.look()) is not None]
    if looks:
        means = [(side.label, [s for arm, s in looks if arm == i and s is not None]) for i, side in enumerate(sides)]
        print("locked rows: " + ", ".join(f"{name} {format_score(float(np.mean(x)))}" for name, x in means if x))


def _figures(bout: Bout) -> dict[str, Any]:
    duel, sides, verdict = bout.duel, bout.sides, bout.outcome
    found: dict[str, Any] = {"name": duel.plan.name, "problem": duel.title, "plan": duel.plan.to_json()}
    if verdict is None:
        return {**found, "verdict": [], "leader": None, "arms": [], "against": [], "locked_rows": []}
    return {
        **found,
        "verdict": list(verdict.sentences),
        "is_final": verdict.is_final,
        "equivalent_within": verdict.rope,
        "arms": [
            {"arm": side.label, "score": mean, "best_found": side.best_found, "fresh_scores": side.finals}
            for side, mean in zip(sides, verdict.means, strict=True)
        ],
        "locked_rows": [
            {"arm": sides[member.arm].label, "seed": member.seed, **look}
            for member in duel.members
            if (look := member.look()) is not None
        ],
        "leader": sides[verdict.order[0]].label if verdict.order else None,
        "against": [
            {
                "arm": sides[pair.second].label,
                "difference": pair.judgement.mean,
                "half_width": pair.judgement.half_width,
                "level": pair.judgement.level,
                "p_value": pair.judgement.p_value,
                "chances": dict(zip(("worse", "equivalent", "better"), pair.judgement.chances, strict=True)),
                "verdict": pair.judgement.verdict,
            }
            for pair in verdict.pairs
        ],
    }


def _ranks(standing: Standing | None) -> dict[str, Any] | None:
    """The ranks over several problems; None for one, or while fewer than two count."""
    if standing is None or standing.ranking is None:
        return None
    labels, ranking = standing.labels, standing.ranking
    return {
        "mean_ranks": dict(zip(labels, map(float, ranking.mean_ranks), strict=True)),
        "p_value": ranking.p_value,
        "critical_difference": ranking.critical_difference,
        "not_told_apart": [[labels[i] for i in group] for group in ranking.tied_groups() if len(group) > 1],
        "problems": ranking.n_problems,
        "pairs": [
            {
                "arms": [labels[pair.first], labels[pair.second]],
                "lean": pair.lean,
                "p_value": pair.p_value,
                "p_holm": pair.adjusted,
            }
            for pair in standing.pairs
        ],
        "verdict": list(standing.sentences),
    }


def _standing_words(standing: Standing) -> list[str]:
    ranking = standing.ranking
    if ranking is None:
        return list(standing.sentences)
    order = np.argsort(ranking.mean_ranks, kind="stable")
    ranks = ", ".join(f"{standing.labels[i]} {ranking.mean_ranks[i]:.2f}" for i in order)
    head = f"Mean ranks over {ranking.n_problems} problems: {ranks}. Friedman's test p = {ranking.p_value:.2g}."
    return [head, *standing.sentences]


def _say(arguments: argparse.Namespace, line: str) -> None:
    if not arguments.json:
        print(line, file=sys.stderr, flush=True)
