from __future__ import annotations

import pytest

from hpo_core.errors import UsageError
from hpo_core.glossary import found_terms, linked_html, linked_markdown, term_named


def test_unknown_term_is_answered_with_those_written_alike():
    with pytest.raises(UsageError, match="is it regret"):
        term_named("regrets")


def test_text_is_looked_for_in_names_aliases_and_meanings_and_names_come_first():
    assert found_terms("noi")[0].name == "noise"
    assert "population-based training" in [term.name for term in found_terms("pbt")]
    assert found_terms("no such words") == ()


def test_first_occurrence_of_a_term_becomes_a_link_and_the_rest_is_escaped():
    html = linked_html("<b>Regret</b> & noise, then noise and regret")
    assert html.startswith('&lt;b&gt;<a class="lab-term" href="/learn?glossary=regret"')
    assert html.count("<a ") == 2
    assert html.endswith("</a>, then noise and regret")


def test_longer_term_wins_and_everyday_words_and_parts_of_words_stay_plain():
    assert 'glossary=within-noise"' in linked_html("It is within noise.")
    assert linked_html("A trial of a noisemaker by default.") == "A trial of a noisemaker by default."


def test_text_has_at_most_three_links():
    text = linked_markdown("regret, noise, surrogate, brackets, rungs")
    assert text.count("](/learn?glossary=") == 3
    assert text.endswith(", brackets, rungs")
