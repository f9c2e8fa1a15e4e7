"""The verdict of a duel with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.duel import Outcome, Side, spent
from hpo_core.formats import format_score, format_seconds, format_signed
from hpo_core.search.duel import Duel
from hpo_core.search.dueling import has_finals, why_no_finals
from hpo_core.search.judging import draws_for_verdict
from hpo_core.search.keeping import draw_anew
from pages._shared.duel_state import go_on, is_duel_over
from pages._shared.html_table import html_table

_TINY = 1e-12
MARKS = {"better": "▲", "worse": "▼", "equivalent": "=", "cannot tell": "?"}


def duel_verdict(duel: Duel, sides: Sequence[Side], found: Outcome) -> None:
    """The card of the verdict: a paragraph, the table of the arms, the evidence."""
    with st.container(key="card-duel-verdict", gap="small"):
        st.subheader("Who won, and does it matter?", anchor=False)
        first, *others = found.sentences
        if not is_duel_over(duel):
            first = f"So far: {first[:1].lower() if first.startswith('A tie') else first[:1]}{first[1:]}"
        more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others[:1])
        st.html(f'<div class="lab-outcome" aria-live="polite"><p><b>{escape(first)}</b></p>{more}</div>')
        st.html(_table(duel, sides, found))
        _more_draws(duel, found)
        with st.expander("The evidence"):
            st.html("".join(f"<p>{escape(sentence)}</p>" for sentence in others[1:]) + _evidence(sides, found))
            st.caption(_method(found, duel))


def _more_draws(duel: Duel, found: Outcome) -> None:
    """The way to a verdict where fresh folds are too few for one."""
    n = draws_for_verdict(duel)
    if found.pairs or not n or not is_duel_over(duel):
        return
    st.button(
        f"Score on {n} draws of fresh folds", key="duel-draw-anew", type="primary", on_click=_draw, args=(duel, n)
    )


def _draw(duel: Duel, n: int) -> None:
    draw_anew(duel, n)
    go_on(duel)


def _table(duel: Duel, sides: Sequence[Side], found: Outcome) -> str:
    heads = (
        "Arm",
        "Fresh folds" if found.is_final else "Best of each seed" if found.is_by_seed else "Without luck",
        "Best found",
        "Fits",
        "Seconds",
        "The leader is",
    )
    against = {pair.second: pair for pair in found.pairs}
    rows = []
    for place in [*found.order, *(i for i in range(len(sides)) if i not in found.order)]:
        side, pair = sides[place], against.get(place)
        best = [float(t.values[row]) for t in side.tables if (row := t.best()) is not None]
        fits = sum(float(np.nanmax(spent(t, "fits"), initial=0.0)) for t in side.tables)
        seconds = sum(float(np.nanmax(spent(t, "seconds"), initial=0.0)) for t in side.tables)
        verdict = "the leader" if found.order and place == found.order[0] else ""
        if pair is not None:
            one = pair.judgement
            verdict = f"{format_signed(one.mean)} {MARKS[one.verdict]} {one.verdict}"
        spread = f" ± {float(np.std(best, ddof=1)):.2g}" if len(best) > 1 and np.ptp(best) > _TINY else ""
        cells = (
            f"<b>{format_score(found.means[place])}</b>",
            f"{format_score(float(np.mean(best)))}{spread}" if best else "–",
            f"{fits:,.0f}",
            format_seconds(seconds),
            verdict,
        )
        rows.append((escape(side.label), *cells))
    return html_table("Arms", heads, rows)


def _evidence(sides: Sequence[Side], found: Outcome) -> str:
    heads = ("Leader against", "Difference", "Interval", "p", "Worse", "Equivalent", "Better")
    rows = []
    for pair in found.pairs:
        one = pair.judgement
        cells = [format_signed(one.mean), f"± {one.half_width:.2g} ({one.level_in_words})", f"{one.p_value:.2g}"]
        cells += [f"{chance:.0%}" for chance in one.chances]
        rows.append((escape(sides[pair.second].label), *cells))
    return html_table("Evidence", heads, rows)


def _method(found: Outcome, duel: Duel) -> str:
    if found.is_final:
        basis = (
            f"Each search's choice was scored on {duel.plan.finals} fresh draws of the folds, which had no part in it."
        )
    elif has_finals(duel):
        basis = "Not every choice could be fitted on fresh folds."
    else:
        basis = why_no_finals(duel) or "Fresh folds come at the end."
    paired = (
        "Compared seed by seed; t-test"
        if found.is_by_seed
        else "Paired on the same folds, means over seeds; corrected resampled t-test (Nadeau and Bengio 2003)"
    )
    return (
        f"{basis} {paired} with Holm's correction: each interval is at the level at which its difference was judged, "
        "so that it leaves out 0 where a difference was found. Beside it a Bayesian correlated t-test (Benavoli 2017) "
        f"in which a difference up to {format_score(found.rope)} counts as none."
    )
