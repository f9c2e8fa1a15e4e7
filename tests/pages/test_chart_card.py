"""A costly chart of a running search lags behind new trials for a while, and never behind what a person does."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page():
    import numpy as np
    import streamlit as st

    from hpo_core.analysis.filtering import Kept, TrialFilter
    from hpo_core.plots import PLOTS
    from pages._shared.chart_card import Brushing, chart_card
    from tests.trial_tables import build_table

    n_trials, n_passing = st.session_state["n_trials"], st.session_state["n_passing"]
    table, brushing = build_table(n_trials), st.session_state.setdefault("brushing", Brushing())
    if n_passing:
        brushing.choose(TrialFilter({"C": Kept(high=1.0)}))
        table = table.take(np.arange(n_passing))
    chart_card(PLOTS["importance"], table, key="chart", is_live=True, brushing=brushing)


def learned_from(page, *, n_trials, n_passing=0):
    """What the caption says of the trials."""
    page.session_state["n_trials"], page.session_state["n_passing"] = n_trials, n_passing
    page.run()
    assert not page.exception
    return page.caption[0].value


def test_chart_rests_while_trials_come_and_follows_a_filter_at_once(monkeypatch):
    monkeypatch.setattr("pages._shared.chart_card._PATIENCE", 1e6)
    page = AppTest.from_function(_page, default_timeout=60)
    assert "80" in learned_from(page, n_trials=80)
    assert "80" in learned_from(page, n_trials=93)
    assert "61" in learned_from(page, n_trials=93, n_passing=61)
    assert "61" in learned_from(page, n_trials=94, n_passing=62)
