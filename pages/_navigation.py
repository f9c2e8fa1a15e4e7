"""The frame around every page: navigation, look, and the edge at which an unexpected fault becomes a sentence."""

from __future__ import annotations

import streamlit as st

from pages._shared.assets import MARK
from pages._shared.fault import fault_edge
from pages._shared.running import running_searches
from pages._shared.theme import apply_theme

st.set_page_config(page_title="Tuning Lab", page_icon=str(MARK), layout="wide", initial_sidebar_state="collapsed")
st.logo(str(MARK), size="large")
apply_theme()

PAGES = [
    st.Page("tune.py", title="Tune", url_path="tune", default=True),
    st.Page("studies.py", title="Studies", url_path="studies"),
]
page = st.navigation(PAGES, position="top")
running_searches()
with fault_edge(f"The page {page.title}"):
    page.run()
