"""A page for the browser tests: every plot of a study that grows with each run, and what the person did to it."""

from __future__ import annotations

import json
from functools import partial

import streamlit as st

from hpo_core.plots import PLOTS
from pages._shared.chart_card import chart_card
from pages._shared.live_plot import live_plot
from pages._shared.theme import apply_theme
from tests.browser.figures import PLAIN
from tests.trial_tables import build_table, with_faults

st.set_page_config(page_title="Demo", layout="wide")
apply_theme()
study = st.query_params.get("study", "ordinary")
n_trials = int(st.query_params.get("n", "60"))
shown = st.query_params.get("plots", ",".join(PLOTS.keys)).split(",")
current = {"C": 1.0, "gamma": 0.1, "kernel": "rbf", "shrinking": True}


@st.fragment
def charts() -> None:
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    grown = n_trials + (0 if st.query_params.get("still") else runs)
    direction = st.query_params.get("direction", "maximize")
    table = with_faults(build_table(grown, direction=direction))
    st.button("Refresh", key="refresh")
    for key in shown:
        if key in PLOTS:
            pick = partial(st.session_state.__setitem__, f"{key}-picked")
            names = {"current": current, "value_label": "accuracy"}
            chart_card(PLOTS[key], table, key=key, on_trial=pick, on_place=pick, **names)
            st.code(json.dumps(st.session_state.get(f"{key}-picked")), language=None)
        elif key in PLAIN:
            events = live_plot(json.dumps(PLAIN[key]), key=key, height=320, alt=f"A plain {key} chart.")
            if events.click:
                st.session_state[f"{key}-click"] = [events.click.x, events.click.y, events.click.on]
            st.code(json.dumps(st.session_state.get(f"{key}-click")), language=None)
    st.text(f"run {runs}")


charts()
