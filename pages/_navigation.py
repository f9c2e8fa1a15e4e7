"""The frame around every page: navigation, look, and the edge at which an unexpected fault becomes a sentence."""

from __future__ import annotations

import streamlit as st

from pages._shared.assets import MARK
from pages._shared.fault import fault_edge
from pages._shared.help import help_button
from pages._shared.running import running_searches
from pages._shared.theme import THEME_BUTTON, apply_theme

PAGES = [
    # A default page has no address but the root, so that /tune is a page of its own.
    st.Page("tune.py", title="Tune", url_path="start", default=True),
    st.Page("tune.py", title="Tune", url_path="tune", visibility="hidden"),
    st.Page("duel.py", title="Duel", url_path="duel"),
    st.Page("classroom.py", title="Class", url_path="class"),
    st.Page("learn.py", title="Learn", url_path="learn"),
    st.Page("studies.py", title="Studies", url_path="studies"),
    st.Page("study.py", title="Study", url_path="study", visibility="hidden"),
    st.Page("compare.py", title="Compare", url_path="compare", visibility="hidden"),
]
page = st.navigation(PAGES, position="top")
if page.url_path == "tune":
    st.switch_page(PAGES[0], query_params=st.query_params.to_dict())  # so that the mark is on Tune
st.set_page_config(f"{page.title} · Tuning Lab", str(MARK), layout="wide", initial_sidebar_state="collapsed")
st.logo(str(MARK), size="large")
apply_theme()
running_searches()
with st.container(key="frame-tools", horizontal=True, gap="xsmall"):
    st.html(THEME_BUTTON, width="content")
    help_button()
with fault_edge(f"The page {page.title}", tries_again=True):
    page.run()
