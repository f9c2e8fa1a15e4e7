"""The words of the lab, each with its meaning: looked up by name, found by text, linked where they stand on screen."""

from hpo_core.glossary._finding import address_of, found_terms, linked_html, linked_markdown, term_named
from hpo_core.glossary._term import Term
from hpo_core.glossary.terms import TERMS

__all__ = ["TERMS", "Term", "address_of", "found_terms", "linked_html", "linked_markdown", "term_named"]
