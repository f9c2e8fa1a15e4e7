"""When a trial is given up and when a search ends by itself, as a person sets it before a search."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from hpo_core.analysis.stopping import N_MORE, StopsWhen
from hpo_core.methods import SearchMethod
from hpo_core.pruning import PRUNING, PruningRule
from hpo_core.search.suitability import suited_pruning
from pages._shared.option_widgets import option_widgets
from pages._shared.tuning import Tuning

_STOPS = {
    "never": "never: the whole budget",
    "noise": "below the noise of the best score",
    "figure": "below a figure",
}


def pruning_widgets(tuning: Tuning, method: SearchMethod) -> PruningRule:
    """The rule between folds with its options, first the method's own; what it cannot do with these folds is said."""
    suited = suited_pruning(method, tuning.problem)
    rules = ("none",) if tuning.problem.spec.second else PRUNING.keys  # rules go by the score alone
    key = st.selectbox(
        "Pruning between folds",
        rules,
        index=rules.index(suited),
        format_func=lambda k: f"{PRUNING[k].label}: {_first_small(PRUNING[k].purpose)}",
        key=f"machine-pruning-{suited}-first",
        help="\n\n".join(f"**{rule.label}**: {rule.when_to_use}" for rule in PRUNING),
    )
    rule, reference = PRUNING[key], _reference(tuning)
    if math.isfinite(reference):
        rule = rule.suited_to(reference)
    rule = option_widgets(rule, key=f"machine-pruning-{key}-{math.isfinite(reference)}")
    if caution := rule.caution(tuning.problem.n_folds):
        st.caption(caution)
    return rule


def stopping_widgets() -> StopsWhen:
    """When the search ends by itself; None for never."""
    chosen = st.selectbox(
        "End when the expected gain is",
        list(_STOPS),
        format_func=_STOPS.__getitem__,
        key="machine-stops",
        help=f"The gain that {N_MORE} more trials are expected to bring, looked at after every few trials.",
    )
    if chosen != "figure":
        return None if chosen == "never" else "noise"
    shared: dict[str, Any] = {"help": "in the metric's own unit", "format": "%g", "key": "machine-stops-figure"}
    return float(st.number_input("Smallest gain", 1e-9, None, 0.001, 0.001, **shared))


def _reference(tuning: Tuning) -> float:
    """What the default scores; NaN until all of its folds are done."""
    baseline = tuning.baseline
    return baseline.value if baseline is not None and baseline.is_done else math.nan


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
