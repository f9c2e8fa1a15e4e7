"""A duel or a suite as one page of HTML: verdicts, tables, the diagram of ranks; no scripts, nothing from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

import numpy as np

from hpo_core.analysis.suite import Standing
from hpo_core.formats import format_score
from hpo_core.plots import LIGHT, rank_alt, rank_plan
from hpo_core.search.suite import Bout

_UNIT, _WIDTH, _SIDE = 34, 640, 90
_MARKS = {"leads": "★", "worse": "▼", "better": "▲", "equivalent": "=", "cannot tell": "?"}
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>'
    "body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2333}}"
    "table{{border-collapse:collapse;margin:1rem 0}}th,td{{padding:.3rem .8rem;border-bottom:1px solid #d5dae1;"
    "text-align:left;font-variant-numeric:tabular-nums}}svg{{max-width:100%;height:auto}}div{{overflow-x:auto}}"
    "td{{white-space:nowrap}}.quiet{{color:#5b6478}}</style></head><body>"
)


def duel_report(bouts: Sequence[Bout], standing: Standing | None = None, title: str = "") -> str:
    """The page.

    Args:
        bouts: One for a duel, several for a suite.
        standing: Of the arms of a suite.
        title: Name of the duel or suite.
    """
    first = bouts[0].duel.plan
    name = title or first.name
    made = time.strftime("%Y-%m-%d %H:%M")
    arms = ", ".join(f"{arm.label} ({arm.seeds} seeds)" if arm.seeds > 1 else arm.label for arm in first.arms)
    budget = f"{first.budget.amount:g} {first.budget.kind} for each search"
    parts = [
        _HEAD.format(title=escape(name)),
        f"<h1>{escape(name)}</h1>",
        f'<p class="quiet">{escape(arms)} · {budget} · written on {made}</p>',
    ]
    if standing is not None:
        parts.append(_over_all(standing, [arm.key for arm in first.arms]))
    parts += [_bout(bout) for bout in bouts]
    return f"{''.join(parts)}</body></html>\n"


def rank_svg(standing: Standing, keys: Sequence[str]) -> str:
    """The diagram of ranks as a drawing that stands alone; "" where nothing can be ranked yet."""
    if standing.ranking is None:
        return ""
    plan, n_arms = rank_plan(standing.ranking), len(standing.labels)
    styles = LIGHT.arm_styles(keys)
    top = 2 * _UNIT

    def across(rank: float) -> float:
        return _SIDE + (rank - 1) / (n_arms - 1) * (_WIDTH - 2 * _SIDE)

    def line(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    def text(words: str, x: float, y: float, anchor: str, colour: str = LIGHT.text) -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'

    quiet = LIGHT.muted
    drawn = [line([(across(1), top), (across(n_arms), top)], quiet, 1.5)]
    for rank in range(1, n_arms + 1):
        drawn += [line([(across(rank), top), (across(rank), top - 6)], quiet, 1.5)]
        drawn += [text(str(rank), across(rank), top - 10, "middle", quiet)]
    for tick in plan.ticks:
        colour, y, x = styles[keys[tick.arm]].colour, top + _UNIT * tick.depth, across(tick.rank)
        edge, anchor = (0.0, "start") if tick.is_left else (float(_WIDTH), "end")
        drawn += [line([(x, top), (x, y), (edge, y)], colour, 1.6)]
        drawn += [text(f"{standing.labels[tick.arm]} {tick.rank:.2f}", edge, y - 5, anchor)]
        drawn += [f'<circle cx="{x:.1f}" cy="{top}" r="5" fill="{colour}"/>']
    for bar in plan.bars:
        y = top + _UNIT * bar.depth
        drawn += [line([(across(bar.low) - 5, y), (across(bar.high) + 5, y)], LIGHT.text, 5)]
    drawn += [line([(across(1), 18), (across(1 + plan.ruler), 18)], quiet, 1.5)]
    drawn += [text(f"critical difference {standing.ranking.critical_difference:.2f}", across(1), 12, "start", quiet)]
    height = top + _UNIT * plan.depth + 12
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" role="img" font-size="13" '
        f'aria-label="{escape(rank_alt(standing))}">{"".join(drawn)}</svg>'
    )


def _over_all(standing: Standing, keys: Sequence[str]) -> str:
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in standing.sentences)
    heads = "".join(f"<th>{escape(label)}</th>" for label in standing.labels)
    rows = [_standing_row(standing, place) for place in range(len(standing.contests))]
    if standing.ranking is not None:
        ranks = "".join(f"<td><b>{rank:.2f}</b></td>" for rank in standing.ranking.mean_ranks)
        rows.append(f"<tr><th>Mean rank</th>{ranks}</tr>")
    legend = "★ leads, ▼ worse, = equivalent, ? cannot be told from the leader; the rank stands behind the mean score."
    return (
        f"<h2>Over all problems</h2>{words}{rank_svg(standing, keys)}<div><table><tr><th>Problem</th>{heads}</tr>"
        f'{"".join(rows)}</table></div><p class="quiet">{legend}</p>{_pairs(standing)}'
    )


def _standing_row(standing: Standing, place: int) -> str:
    contest = standing.contests[place]
    cells = []
    for arm in range(len(standing.labels)):
        mean = contest.outcome.means[arm] if contest.outcome else float("nan")
        rank = standing.ranks[place, arm]
        behind = f" ({rank:g})" if np.isfinite(rank) else ""
        cells.append(f"<td>{format_score(mean)}{behind} {_MARKS.get(standing.verdict_of(place, arm), '')}</td>")
    open_ = "" if contest.is_over else ' <span class="quiet">not over</span>'
    return f"<tr><th>{escape(contest.title)}{open_}</th>{''.join(cells)}</tr>"


def _pairs(standing: Standing) -> str:
    if not standing.pairs:
        return ""
    rows = "".join(
        f"<tr><th>{escape(standing.labels[pair.first])} against {escape(standing.labels[pair.second])}</th>"
        f"<td>{_signed(pair.lean)}</td><td>{pair.p_value:.2g}</td><td>{pair.adjusted:.2g}</td></tr>"
        for pair in standing.pairs
    )
    heads = "<tr><th>Signed ranks in pairs</th><th>Lean</th><th>p</th><th>p, Holm</th></tr>"
    return f"<table>{heads}{rows}</table>"


def _signed(lean: float) -> str:
    return f"{lean:+.2f}".replace("-", "−")


def _bout(bout: Bout) -> str:
    head = f"<h2>{escape(bout.duel.plan.name)}: {escape(bout.duel.title)}</h2>"
    found = bout.outcome
    if found is None:
        return f"{head}<p>No arm has a score yet.</p>"
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in found.sentences)
    rows = "".join(
        f"<tr><th>{escape(bout.sides[i].label)}</th><td>{format_score(found.means[i])}</td>"
        f"<td>{format_score(bout.sides[i].best_found)}</td></tr>"
        for i in found.order
    )
    basis = "Fresh folds" if found.is_final else "Best of each seed" if found.is_by_seed else "Without luck"
    return f"{head}{words}<table><tr><th>Arm</th><th>{basis}</th><th>Best found</th></tr>{rows}</table>"
