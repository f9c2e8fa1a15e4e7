"""The glossary under Learn: a search field, and the words of the lab by alphabet, each with an anchor and a link."""

from __future__ import annotations

from html import escape

import streamlit as st

from hpo_core.errors import UsageError
from hpo_core.formats import format_count
from hpo_core.glossary import TERMS, Term, address_of, found_terms, term_named

ALL = "all"
_INTRO = (
    '<div class="lab-problem"><h1>Glossary</h1><p>Every word of the lab in plain words. '
    '<a class="lab-link" href="/learn" target="_self">All lessons</a></p></div>'
)


def glossary_page(asked: str) -> None:
    """The whole glossary; the term that the address asks for stands first, and once more in its place.

    Args:
        asked: Name, key or alias of a term; "all" for none.
    """
    st.html(_INTRO)
    with st.container(key="card-glossary", gap="small"):
        if asked.strip().casefold() != ALL:
            _asked_term(asked)
        text = st.text_input("Find a term", key="glossary-text", placeholder="Find: a term, or a word of its meaning")
        terms = found_terms(text or "")
        said = f"{len(terms):,} of {format_count(len(TERMS), 'term')}" if terms else "No term is like this."
        st.html(f'<p class="lab-note" role="status">{said}</p>')
        st.html(f'<dl class="lab-glossary">{"".join(map(_entry, terms))}</dl>')


def _asked_term(asked: str) -> None:
    try:
        term = term_named(asked)
    except UsageError:
        st.warning("The glossary has no such term. Here are those that it has.")
        return
    st.html(f'<div class="lab-glossary-asked"><h2>{escape(term.name)}</h2>{_meaning(term)}</div>')


def _entry(term: Term) -> str:
    link = f'<a href="{address_of(term)}" target="_self">{escape(term.name)}</a>'
    also = f' <span class="lab-note">also {escape(", ".join(term.aliases))}</span>' if term.aliases else ""
    return f'<div id="term-{term.key}"><dt>{link}{also}</dt><dd>{_meaning(term)}</dd></div>'


def _meaning(term: Term) -> str:
    others = ", ".join(_link(term_named(name)) for name in term.see)
    notes = [f"See {others}." if others else "", f"Source: {escape(term.source)}." if term.source else ""]
    return f'<p>{escape(term.meaning)}</p><p class="lab-note">{" ".join(filter(None, notes))}</p>'


def _link(term: Term) -> str:
    return f'<a class="lab-link" href="{address_of(term)}" target="_self">{escape(term.name)}</a>'
