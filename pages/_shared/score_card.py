"""The score of the person's configuration: at once, first fold first, with its noise and what it is compared with."""

from __future__ import annotations

import json
import math
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.formats import NOTHING, format_count, format_score, format_seconds, format_signed, format_value
from hpo_core.problem import ModelProblem, Problem
from hpo_core.search.manual import Nudge
from pages._shared.tuning import BestTrial, Tuning, draw_anew

_COMPONENT = st.components.v2.component(
    "tuning_lab.score_card",
    html='<div class="score-card"><div></div><button type="button" class="lab-cancel" hidden>Cancel</button></div>',
    js=(Path(__file__).parent / "score_card.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
_SHORT_SECONDS = 1.0
_GAPS = {
    "better": (
        ", gap beyond noise: overfitting?",
        "It fits the rows it was trained on closer than new ones: overfitting, if simpler settings score better.",
    ),
    "tie": (", gap within noise", "The gap to the score on new rows is no larger than the noise of the folds."),
    "worse": ("", "It does worse on the rows it was trained on than on new ones."),
    "unknown": ("", "The score on the rows it was trained on."),
}


def score_card(tuning: Tuning, best: BestTrial | None) -> None:
    """Draws the card. It follows the nudge by itself, takes the moves of the rows, and says when the hand rests."""
    view, at_rest = json.dumps(card_view(tuning, best)), partial(_draw_at_rest, tuning)
    result = _COMPONENT(key="score-card", data=view, on_rest_change=at_rest)
    if result.rest is not None and result.rest != tuning.rests:
        tuning.rests = result.rest
        st.rerun()  # it came during the very first run of the page, which calls no callback (Streamlit 1.67)


def _draw_at_rest(tuning: Tuning) -> None:
    tuning.rests = st.session_state["score-card"].get("rest")
    draw_anew()


def card_view(tuning: Tuning, best: BestTrial | None) -> dict[str, Any]:
    """What the card shows, as its script takes it; of all views that reach it, the newest counts."""
    nudge, serial = tuning.nudge, tuning.serial
    assert nudge is not None
    return {
        "who": tuning.who,
        "takesMoves": tuning.study is not None,
        "stage": [serial, nudge.n_done, int(nudge.is_over)],
        "isOver": nudge.is_over,
        "html": _html(tuning, nudge, best),
    }


def _html(tuning: Tuning, nudge: Nudge, best: BestTrial | None) -> str:
    problem = tuning.problem
    arrow = "↑" if problem.direction == "maximize" else "↓"
    head = f'<span class="lab-eyebrow">{escape(problem.metric_label)} {arrow}</span>'
    if nudge.reason:
        body = f'<p class="lab-fault">{escape(nudge.reason)}</p>'
    elif nudge.n_done == 0:
        body = '<div class="lab-score lab-waiting">…</div>'
    else:
        body = (
            f'<div class="lab-score"><span class="lab-value">{format_score(nudge.value)}</span>{_spread(nudge)}</div>'
        )
    busy = "false" if nudge.is_done else "true"  # a screen reader waits for the last fold
    storage = f'<p class="lab-fault">Not recorded: {escape(nudge.storage_fault)}</p>' if nudge.storage_fault else ""
    return (
        f'<div class="lab-score-card" role="status" aria-atomic="true" aria-busy="{busy}">{head}{_badge(nudge)}{body}'
        f"{_folds(problem, nudge)}{_comparisons(tuning, nudge, best)}{storage}</div>"
    )


def _badge(nudge: Nudge) -> str:
    if nudge.is_cancelled:
        return f'<span class="lab-badge">cancelled after {format_count(nudge.n_done, "fold")}</span>'
    if nudge.is_done:
        text = "" if nudge.number is None else f"trial {nudge.number}"
        return f'<span class="lab-badge">{text}</span>' if text else ""
    left = f" · {format_seconds(nudge.seconds_left)} left" if nudge.seconds_left > _SHORT_SECONDS else ""
    text = f"fold {nudge.n_done + 1} of {nudge.problem.n_folds}{left}"
    return f'<span class="lab-badge lab-busy">{text}</span>'


def _spread(nudge: Nudge) -> str:
    scores = _finite(nudge.fold_scores)
    if len(scores) < 2:
        return ""
    sd = float(np.std(scores, ddof=1))
    title = f"standard deviation over {len(scores)} folds"
    return f'<span class="lab-spread" title="{title}">± {format_value(float(f"{sd:.2g}"))}</span>'


def _folds(problem: Problem, nudge: Nudge) -> str:
    """One tick per fold on the range of all folds: how much the score depends on which rows are held out."""
    if problem.n_folds < 2:
        return ""
    scores = nudge.fold_scores
    known = _finite(scores)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    cells = "".join(_tick(i, s, low, high) for i, s in enumerate(scores))
    return f'<div class="lab-folds" aria-hidden="true">{cells}</div>'


def _tick(fold: int, value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return '<span class="lab-fold lab-fold-open"></span>'
    share = 1.0 if high == low else 0.35 + 0.65 * (value - low) / (high - low)
    return f'<span class="lab-fold" title="fold {fold + 1}: {format_score(value)}" style="--share:{share:.2f}"></span>'


def _comparisons(tuning: Tuning, nudge: Nudge, best: BestTrial | None) -> str:
    """A line for each thing to compare with; all lines are there from the start, so that nothing moves."""
    lines = [
        ("vs default", _vs_default(tuning, nudge)),
        ("vs previous", _vs(tuning.problem, nudge, tuning.previous and tuning.previous.fold_scores)),
        ("vs best", _vs_best(tuning.problem, nudge, best)),
        ("training", _fit_hint(tuning.problem, nudge)),
    ]
    if nudge.reason:
        return ""
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{text or NOTHING}</td></tr>' for name, text in lines)
    return f'<table class="lab-against">{rows}</table>'


def _vs_default(tuning: Tuning, nudge: Nudge) -> str:
    if nudge.configuration == tuning.problem.space.default():
        return "the library's default configuration"
    return _vs(tuning.problem, nudge, tuning.baseline and tuning.baseline.fold_scores)


def _vs_best(problem: Problem, nudge: Nudge, best: BestTrial | None) -> str:
    if best is None:
        return ""
    if best.configuration == nudge.configuration:
        return "the best so far"
    text = _vs(problem, nudge, best.fold_scores)
    return f"{text} · trial {best.number}" if text else ""


def _vs(problem: Problem, nudge: Nudge, other: tuple[float, ...] | None) -> str:
    """The change against the fold scores of another configuration, over the folds that both have."""
    if not other or nudge.n_done == 0 or not _finite(other):
        return ""
    return verdict_html(fold_difference(problem, nudge.fold_scores, other))


def fold_difference(problem: Problem, first: tuple[float, ...], second: tuple[float, ...]) -> Difference:
    """Difference of two configurations of a problem, with the overlap of its training sets."""
    overlap = 0.0
    if isinstance(problem, ModelProblem):
        train, valid = problem.split.folds[0]
        overlap = len(valid) / len(train)
    return compare_folds(first, second, is_higher_better=problem.direction == "maximize", overlap=overlap)


def verdict_html(difference: Difference) -> str:
    """A difference with its sign and its verdict in words, never by colour alone."""
    words = {"better": "better", "worse": "worse", "tie": "within noise", "unknown": ""}[difference.verdict]
    arrow = {"better": "▲", "worse": "▼", "tie": "=", "unknown": ""}[difference.verdict]
    spread = (
        f' title="95 % interval ± {format_score(difference.half_width)}"'
        if math.isfinite(difference.half_width)
        else ""
    )
    text = f"{format_signed(difference.mean)} {arrow} {words}"
    return f'<span class="lab-verdict lab-{difference.verdict}"{spread}>{text}</span>'


def _fit_hint(problem: Problem, nudge: Nudge) -> str:
    """Training against validation score. A gap is named only once all folds can tell it from noise."""
    results = dict(nudge.flight.results)
    train = tuple(results[f].train_score if f in results else math.nan for f in range(problem.n_folds))
    if not (known := _finite(train)):
        return ""
    verdict = fold_difference(problem, train, nudge.fold_scores).verdict if nudge.is_done else "unknown"
    words, meaning = _GAPS[verdict]
    return f'<span title="{meaning}">{format_score(float(np.mean(known)))}{words}</span>'


def _finite(values: tuple[float, ...]) -> list[float]:
    return [v for v in values if math.isfinite(v)]
