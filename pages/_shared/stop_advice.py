"""The advice whether a search is worth going on with, beside its progress."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from html import escape
from threading import Lock

import streamlit as st

from hpo_core.analysis.stopping import N_MORE, StopAdvice
from hpo_core.search.stop_watch import advice_on
from hpo_core.studies.run import Run
from hpo_core.studies.table import TrialTable
from pages._shared.lab import the_lab
from pages._shared.tuning import Tuning

_REST_SECONDS = 4.0
_SHARE = 0.05  # of the time, at most, that goes into advice while a search runs
_KEPT = 16
_MORE = (5, N_MORE, 50, 200)
_CLASSES = {"go on": "", "stop": "lab-better", "cannot tell": ""}


@dataclass(frozen=True, slots=True)
class _Given:
    """Advice, of which revision it is, and when a new one may be worked out while the search runs."""

    revision: str
    advice: StopAdvice
    rests_until: float


_given: OrderedDict[tuple[object, ...], _Given] = OrderedDict()
_lock = Lock()


def advice_on_stopping(tuning: Tuning, run: Run) -> None:
    """One line: whether more trials are expected to gain anything, the evidence, and what they would cost."""
    if tuning.study is None or run.message.startswith("Stopped by itself"):
        return
    table = the_lab().table_of(tuning.study)
    with st.container(key="stop-advice", gap="xsmall"):
        slot = st.container()
        n_more = st.segmented_control(
            "Advise on so many more trials",
            _MORE,
            default=N_MORE,
            required=True,
            key="stop-advice-more",
            help="how many it is about",
        )
    advice = _advice(tuning, run, table, int(n_more))
    word = f'<b class="{_CLASSES[advice.verdict]}">{advice.verdict}</b>'
    slot.html(f'<p class="lab-note lab-stop-advice">Stop advice: {word}. {escape(advice.evidence)}</p>')


def _advice(tuning: Tuning, run: Run, table: TrialTable, n_more: int) -> StopAdvice:
    """That of this revision, worked out once for all visitors; while a search runs, an older one for a few seconds."""
    assert tuning.study is not None
    key = (tuning.study.key, run.settings.method, run.settings.stops_when, n_more)
    with _lock:
        known = _given.get(key)
        is_resting = known is not None and run.is_active and time.monotonic() < known.rests_until
        if known is not None and (known.revision == table.revision or is_resting):
            return known.advice
        began = time.monotonic()
        advice = advice_on(tuning.problem, table, run.settings, n_more)
        now = time.monotonic()
        _given[key] = _Given(table.revision, advice, now + max(_REST_SECONDS, (now - began) / _SHARE))
        _given.move_to_end(key)
        while len(_given) > _KEPT:
            _given.popitem(last=False)
        return advice
