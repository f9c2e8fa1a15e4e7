"""Study: the views of any study in the storage, whoever made it, while it runs and after."""

import streamlit as st

from pages._shared.study_page import study_page

study_page(st.query_params.get("name", ""))
