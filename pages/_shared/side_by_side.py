"""Two to six trials in one table: value and noise, what differs first, the rest folded away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.comparison import Compared, ParameterRow, SideBySide, compare_side_by_side, compared_trial
from hpo_core.analysis.noise import Difference
from hpo_core.formats import NOTHING, format_count, format_score, format_value
from hpo_core.plots import arm_label
from hpo_core.studies.table import Direction, TrialTable
from pages._shared.fault import plain
from pages._shared.score_card import verdict_html

_STATES = {2: "pruned", 3: "failed", 0: "running", 4: "waiting"}


def compared_trials(table: TrialTable, numbers: Iterable[int]) -> list[Compared]:
    """The trials of a table with these numbers, in the order given, each with who made it; those it lacks left out."""
    places = {int(number): row for row, number in enumerate(table.numbers)}
    rows = [places[number] for number in numbers if number in places]
    return [compared_trial(table, row, subtitle=_made_by(table, row)) for row in rows]


def side_by_side(
    things: Sequence[Compared],
    *,
    direction: Direction,
    overlap: float,
    key: str,
    value_label: str = "value",
    why_incomparable: str = "",
    titles: Mapping[str, str] | None = None,
    links: Sequence[str] = (),
    on_load: Callable[[int], None] | None = None,
) -> None:
    """Draws the comparison.

    Args:
        things: Two to six, scored on the same folds unless `why_incomparable` says otherwise.
        direction: Of their common metric.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        key: Names it among all runs.
        value_label: What the values are.
        why_incomparable: A sentence why the values were not measured in the same way; parameters are compared all the
            same.
        titles: What a person reads for a parameter's name.
        links: Where each heading leads; none by default.
        on_load: Takes the place of the one whose Load button was pressed. Runs as callbacks of widgets do.
    """
    reference = _reference(things, key) if not why_incomparable else 0
    found = compare_side_by_side(
        things, direction=direction, overlap=overlap, reference=reference, values_compare=not why_incomparable
    )
    arrow = "↑" if direction == "maximize" else "↓"
    st.html(
        f'<p class="lab-compare-verdict" role="status">{escape(why_incomparable) or _sentence(found)}</p>'
        f"{_table(found, f'{value_label} {arrow}', links, titles or {})}{_same(found.same, titles or {})}"
    )
    if on_load is not None:
        with st.container(horizontal=True, gap="small", key=f"{key}-load"):
            for i, thing in enumerate(things):
                st.button(f"Load {plain(thing.heading)}", key=f"{key}-load-{i}", on_click=on_load, args=(i,))


def _made_by(table: TrialTable, row: int) -> str:
    state = _STATES.get(int(table.states[row]), "")
    hidden = "hidden" if bool(table.is_hidden[row]) else ""
    return " · ".join(part for part in (arm_label(str(table.arms[row])), state, hidden) if part)


def _reference(things: Sequence[Compared], key: str) -> int:
    if len(things) == 2:
        return 0
    with st.container(key=f"{key}-against", width=280):
        return int(
            st.selectbox(
                "Compare with",
                range(len(things)),
                format_func=lambda i: things[i].heading,
                key=f"{key}-reference-{len(things)}",
            )
        )


def _sentence(found: SideBySide) -> str:
    """What the differences come to, in words."""
    reference = escape(found.things[found.reference].heading)
    verdicts = {i: d.verdict for i, d in enumerate(found.differences) if d is not None}
    named = {
        word: [escape(found.things[i].heading) for i, verdict in verdicts.items() if verdict == word]
        for word in ("better", "worse", "tie", "unknown")
    }
    parts = [f"{_listed(named[w])} {_are(named[w])} {w} than {reference}" for w in ("better", "worse") if named[w]]
    if parts:
        rest = f"; {_listed(named['tie'])} {_are(named['tie'])} within noise of it" if named["tie"] else ""
        return f"Beyond noise, {' and '.join(parts)}{rest}."
    if tied := named["tie"]:
        return f"{_listed(tied)} {_are(tied)} within noise of {reference}: the folds do not tell them apart."
    return "Without two scored folds in common, nothing tells whether a difference is more than noise."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _table(found: SideBySide, value_label: str, links: Sequence[str], titles: Mapping[str, str]) -> str:
    heads = "".join(_head(thing, i, links) for i, thing in enumerate(found.things))
    body = [_row(escape(value_label), [_value(found, i) for i in range(len(found.things))])]
    if any(found.differences):
        against = f"against {escape(found.things[found.reference].heading)}"
        body.append(_row(against, [_against(d) for d in found.differences]))
    if any(np.isfinite(thing.fold_scores).sum() > 1 for thing in found.things):
        body.append(_row("folds", _folds(found)))
    body += [_row(_title(row, titles), [escape(t) for t in row.texts], "lab-differs") for row in found.differing]
    for name in found.figures:
        body.append(_row(escape(name), [escape(t.figures.get(name, NOTHING)) for t in found.things], "lab-secondary"))
    return (
        '<div class="lab-table lab-compare" tabindex="0" role="region" aria-label="Side by side"><table>'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _head(thing: Compared, place: int, links: Sequence[str]) -> str:
    name = escape(thing.heading)
    if place < len(links) and links[place]:
        name = f'<a href="{escape(links[place], quote=True)}" target="_self">{name}</a>'
    return f'<th scope="col">{name}<span class="lab-note">{escape(thing.subtitle)}</span></th>'


def _row(name: str, cells: Sequence[str], css: str = "") -> str:
    return f'<tr class="{css}"><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _value(found: SideBySide, place: int) -> str:
    thing = found.things[place]
    n_folds = int(np.isfinite(thing.fold_scores).sum())
    spread = ""
    if n_folds > 1:
        title = f"standard deviation over {n_folds} folds"
        spread = f' <span class="lab-note" title="{title}">± {format_value(float(f"{thing.noise:.2g}"))}</span>'
    badge = ' <span class="lab-badge">best value</span>' if place == found.best else ""
    badge = ' <span class="lab-badge">○ tied with the best</span>' if place in found.tied else badge
    return f"<b>{format_score(thing.value)}</b>{spread}{badge}"


def _against(difference: Difference | None) -> str:
    return '<span class="lab-note">the reference</span>' if difference is None else verdict_html(difference)


def _folds(found: SideBySide) -> list[str]:
    """The scores of the folds as bars, to one scale for all, so that the same fold can be followed through the row."""
    scores = [s for thing in found.things for s in thing.fold_scores if np.isfinite(s)]
    low, high = min(scores), max(scores)
    return [
        f'<div class="lab-folds">{"".join(_bar(i, s, low, high) for i, s in enumerate(thing.fold_scores))}</div>'
        for thing in found.things
    ]


def _bar(fold: int, score: float, low: float, high: float) -> str:
    if not np.isfinite(score):
        return f'<span class="lab-fold lab-fold-open" title="fold {fold + 1}: not done"></span>'
    share = 1.0 if high == low else 0.2 + 0.8 * (score - low) / (high - low)
    return f'<span class="lab-fold" title="fold {fold + 1}: {format_score(score)}" style="--share:{share:.2f}"></span>'


def _title(row: ParameterRow, titles: Mapping[str, str]) -> str:
    return escape(titles.get(row.name, row.name))


def _same(rows: Sequence[ParameterRow], titles: Mapping[str, str]) -> str:
    if not rows:
        return ""
    pairs = "".join(f"<div><dt>{_title(row, titles)}</dt><dd>{escape(row.texts[0])}</dd></div>" for row in rows)
    verb = "is" if len(rows) == 1 else "are"
    summary = f"{format_count(len(rows), 'parameter')} {verb} the same"
    return f'<details class="lab-same"><summary>{summary}</summary><dl>{pairs}</dl></details>'
