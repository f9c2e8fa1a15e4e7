"""The corrected value beside the raw one, wherever a best is named: what it is worth on new rows."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from html import escape
from threading import Lock

import numpy as np

from hpo_core.analysis.optimism import Corrected, corrected_best
from hpo_core.analysis.study_comparison import overlap_of, overlap_of_study
from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.metrics import ideal_of_name, ideal_score
from hpo_core.problem import ModelProblem
from hpo_core.studies.summary import StudySummary
from hpo_core.studies.table import TrialTable
from pages._shared.lab import the_lab
from pages._shared.tuning import Tuning

HOW = (
    "the best of many noisy scores is partly luck; estimated by choosing on some of the folds and looking at the "
    "others, over resamples of folds and trials"
)
_MOST_TRIALS, _MOST_NEW = 400, 6  # what a list reads of studies that nobody has opened
_KEPT = 500
_TINY = 0.02  # of half the interval: luck below it is not worth a figure
_known: OrderedDict[tuple[object, ...], Corrected | None] = OrderedDict()
_lock = Lock()


def corrected_of(tuning: Tuning, table: TrialTable, rows: np.ndarray | None = None) -> Corrected | None:
    """The best of these rows, all by default, without the luck of being picked; None where that cannot be told."""
    problem = tuning.problem
    ideal = ideal_score(problem.metric) if isinstance(problem, ModelProblem) else None
    return corrected_best(table, rows, overlap=overlap_of(problem.spec), ideal=ideal)


def new_rows_html(found: Corrected | None) -> str:
    """ "about 0.985 on new rows", with its interval and how it was found where the pointer rests; "" for nothing."""
    if found is None:
        return ""
    return f'<span class="lab-new-rows" title="{escape(_interval(found))}; {escape(HOW)}">{escape(found.words)}</span>'


def luck_line(found: Corrected | None) -> str:
    """One line of the outcome: the best as it looks and as it is, where that can be told."""
    if found is None:
        return ""
    luck = format_value(float(f"{found.optimism:.2g}"))
    is_seen = found.optimism > _TINY * found.half_width
    what = f"luck of picking {luck}" if is_seen else "next to no luck of picking"
    lost = f", {found.n_lost:,} of them given up early" if found.n_lost else ""
    all_trials = format_count(found.n_trials, "trial")
    text = f"Best of the study's {all_trials}{lost}: <b>{format_score(found.raw)}</b>, {new_rows_html(found)}"
    return f'<p class="lab-note">{text} ({escape(_interval(found))}; {what}).</p>'


def listed_new_rows(summaries: list[StudySummary]) -> dict[str, str]:
    """What the best of each study is worth on new rows, as HTML by name; without those that would take long.

    Small studies only, and of those that nobody has looked at since they changed a few at a time: a list renews itself.
    """
    n_new, found = 0, {}
    for summary in summaries:
        key = (summary.name, summary.created, summary.n_trials, summary.changed, summary.best_value)
        with _lock:
            is_known = key in _known
        if not is_known:
            if not summary.is_lab or summary.n_trials > _MOST_TRIALS or n_new >= _MOST_NEW:
                continue
            n_new += 1
            _keep(key, summary.name)
        with _lock:
            found[summary.name] = new_rows_html(_known.get(key))
    return found


def _keep(key: tuple[object, ...], name: str) -> None:
    corrected = None
    with suppress(TuningError):  # somebody has deleted it meanwhile
        study = the_lab().storage.study(name)
        corrected = corrected_best(study.read(), overlap=overlap_of_study(study), ideal=ideal_of_name(study.metric))
    with _lock:
        _known[key] = corrected
        while len(_known) > _KEPT:
            _known.popitem(last=False)


def _interval(found: Corrected) -> str:
    low, high = found.interval
    return f"95 % interval {format_score(low)} to {format_score(high)}"
