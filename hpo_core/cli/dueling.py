"""`duel`: several arms on one problem, or on many, and the verdict as text, JSON or a page of HTML."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.analysis.duel import Outcome, Side
from hpo_core.analysis.judgement import Ranking, friedman
from hpo_core.cli.printing import print_json, print_rows
from hpo_core.cli.searching import add_budget, add_problem, add_storage, spec_of
from hpo_core.errors import UsageError
from hpo_core.formats import format_score
from hpo_core.problem import Problem, open_problem
from hpo_core.search import budget_of
from hpo_core.search.duel import DEFAULT, MANUAL, Duel, DuelArm, make_duel, open_duel
from hpo_core.search.dueling import fight
from hpo_core.search.judging import sides_of, verdict_on
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
    group.add_argument("--seeds", type=int, default=3, help="searches of each method (default 3)")
    group.add_argument("--finals", type=int, default=3, help="draws of fresh folds for what was chosen (default 3)")
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
    if not arguments.data:
        raise UsageError("A duel needs --data.")
    folder = data_folder(arguments.data_folder)
    storage = StudyStorage.open(arguments.storage, folder=folder)
    arms = [_arm(text, arguments.seeds) for text in arguments.arm or ("auto", "tpe", "random", "default")]
    budget = budget_of(arguments.trials, arguments.fits, arguments.seconds)
    found = []
    for i, problem in enumerate(_problems(arguments)):
        name = arguments.name and (f"{arguments.name} {i + 1}" if arguments.also else arguments.name)
        duel = make_duel(storage, problem, arms, budget, name=name, finals=arguments.finals)
        _say(arguments, f"{duel.plan.name}: {problem.title}")
        fight(storage, duel.plan.key, folder)
        if arguments.open_locked:
            duel.ask(opens_lock=True)
            fight(storage, duel.plan.key, folder)
        duel = open_duel(storage, duel.plan.key)
        if fault := duel.control.get("fault"):
            raise UsageError(f"The duel broke off. {fault}")
        sides = sides_of(duel)
        found.append((duel, sides, verdict_on(duel, sides)))
    ranking = _ranking(found)
    if arguments.html:
        Path(arguments.html).write_text(_page(found, ranking), encoding="utf-8")
    if arguments.json:
        print_json({"duels": [_figures(*one) for one in found], "ranking": _ranks(found, ranking)})
    else:
        for one in found:
            _print(*one)
        if ranking is not None:
            print("\n".join(_ranking_words(found, ranking)))
    return 0 if all(verdict.order for _, _, verdict in found) else 1


def _arm(text: str, seeds: int) -> DuelArm:
    method, star, times = text.partition("*")
    if star and not times.isdigit():
        raise UsageError(f"An arm is a method, or METHOD*TIMES with a whole number; got {text!r}.")
    if method == MANUAL:
        raise UsageError("A person plays on the page Duel of the lab, not on the command line.")
    return DuelArm(method, 1 if method == DEFAULT else seeds, int(times) if star else 1)


def _problems(arguments: argparse.Namespace) -> list[Problem]:
    first = spec_of(arguments)
    specs = [first]
    for text in arguments.also:
        data, _, model = text.partition(":")
        specs.append(replace(first, data=data, model=model, target=None, task=None))
    return [open_problem(spec) for spec in specs]


Found = tuple[Duel, list[Side], Outcome]


def _ranking(found: list[Found]) -> Ranking | None:
    """The arms over several problems, by their mean scores; None for one problem."""
    if len(found) < 2:
        return None
    scores = [[-sides[0].tables[0].sign * mean for mean in verdict.means] for _, sides, verdict in found]
    known = [row for row in scores if np.isfinite(row).all()]
    return friedman(np.array(known)) if len(known) > 1 else None


def _print(duel: Duel, sides: list[Side], verdict: Outcome) -> None:
    rows = [
        {
            "arm": sides[i].label,
            "fresh folds" if verdict.is_final else "without luck": verdict.means[i],
            "best found": _best(sides[i]),
        }
        for i in verdict.order
    ]
    if rows:
        print_rows(rows, tuple(rows[0]))
    print("\n".join(verdict.sentences))
    looks = [(m.arm, found["score"]) for m in duel.members if (found := m.look()) is not None]
    if looks:
        means = [(side.label, [s for arm, s in looks if arm == i and s is not None]) for i, side in enumerate(sides)]
        print("locked rows: " + ", ".join(f"{name} {format_score(float(np.mean(x)))}" for name, x in means if x))


def _best(side: Side) -> float:
    best = [float(table.values[row]) for table in side.tables if (row := table.best()) is not None]
    return float(np.mean(best)) if best else float("nan")


def _figures(duel: Duel, sides: list[Side], verdict: Outcome) -> dict[str, Any]:
    return {
        "name": duel.plan.name,
        "problem": duel.problem.title,
        "plan": duel.plan.to_json(),
        "verdict": list(verdict.sentences),
        "is_final": verdict.is_final,
        "equivalent_within": verdict.rope,
        "arms": [
            {"arm": side.label, "score": mean, "best_found": _best(side), "fresh_scores": side.finals}
            for side, mean in zip(sides, verdict.means, strict=True)
        ],
        "locked_rows": [
            {"arm": sides[member.arm].label, "seed": member.seed, **found}
            for member in duel.members
            if (found := member.look()) is not None
        ],
        "leader": sides[verdict.order[0]].label if verdict.order else None,
        "against": [
            {
                "arm": sides[pair.second].label,
                "difference": pair.judgement.mean,
                "half_width": pair.judgement.half_width,
                "p_value": pair.judgement.p_value,
                "chances": dict(zip(("worse", "equivalent", "better"), pair.judgement.chances, strict=True)),
                "verdict": pair.judgement.verdict,
            }
            for pair in verdict.pairs
        ],
    }


def _ranks(found: list[Found], ranking: Ranking | None) -> dict[str, Any] | None:
    if ranking is None:
        return None
    labels = [side.label for side in found[0][1]]
    return {
        "mean_ranks": dict(zip(labels, map(float, ranking.mean_ranks), strict=True)),
        "p_value": ranking.p_value,
        "critical_difference": ranking.critical_difference,
        "problems": ranking.n_problems,
    }


def _ranking_words(found: list[Found], ranking: Ranking) -> list[str]:
    labels = [side.label for side in found[0][1]]
    order = np.argsort(ranking.mean_ranks)
    ranks = ", ".join(f"{labels[i]} {ranking.mean_ranks[i]:.2f}" for i in order)
    groups = [" and ".join(labels[i] for i in group) for group in ranking.tied_groups() if len(group) > 1]
    tied = f" Not told apart: {'; '.join(groups)}." if groups else ""
    return [
        f"Mean ranks over {ranking.n_problems} problems: {ranks}.",
        f"Friedman's test p = {ranking.p_value:.2g}; ranks closer than {ranking.critical_difference:.2f} (Nemenyi) are "
        f"not told apart.{tied}",
    ]


def _page(found: list[Found], ranking: Ranking | None) -> str:
    parts = []
    for duel, sides, verdict in found:
        rows = "".join(
            f"<tr><th>{escape(sides[i].label)}</th><td>{format_score(verdict.means[i])}</td>"
            f"<td>{format_score(_best(sides[i]))}</td></tr>"
            for i in verdict.order
        )
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.sentences)
        head = (
            f"<tr><th>Arm</th><th>{'Fresh folds' if verdict.is_final else 'Without luck'}</th><th>Best found</th></tr>"
        )
        parts.append(
            f"<h2>{escape(duel.plan.name)}: {escape(duel.problem.title)}</h2>{words}<table>{head}{rows}</table>"
        )
    if ranking is not None:
        parts.append(
            "<h2>Over all problems</h2>" + "".join(f"<p>{escape(w)}</p>" for w in _ranking_words(found, ranking))
        )
    return f"{_HEAD}<h1>Duel</h1>{''.join(parts)}</body></html>\n"


_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Duel</title><style>'
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .8rem;border-bottom:1px solid #d5dae1;"
    "text-align:left;font-variant-numeric:tabular-nums}</style></head><body>"
)


def _say(arguments: argparse.Namespace, line: str) -> None:
    if not arguments.json:
        print(line, file=sys.stderr, flush=True)
