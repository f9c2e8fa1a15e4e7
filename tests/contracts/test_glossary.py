"""Every term of the glossary: what it declares, and that it can be reached."""

from __future__ import annotations

from collections import Counter

from hpo_core.glossary import TERMS, term_named


def test_no_two_terms_share_a_word_in_any_case() -> None:
    counts = Counter(word for term in TERMS for word in {w.casefold() for w in (term.key, *term.words)})
    assert [word for word, n in counts.items() if n > 1] == []


def test_terms_are_told_in_whole_sentences_that_fit_a_tooltip() -> None:
    odd = [t.name for t in TERMS if not (t.meaning[0].isupper() and t.meaning.endswith(".") and len(t.meaning) <= 300)]
    assert odd == []


def test_terms_refer_to_others_that_exist_and_each_is_referred_to() -> None:
    names = {term.name for term in TERMS}
    referred = {(term.name, other) for term in TERMS for other in term.see}
    assert [pair for pair in referred if pair[0] == pair[1] or pair[1] not in names] == []
    assert names - {other for _, other in referred} == set()


def test_each_term_is_found_by_all_its_words() -> None:
    lost = [w for term in TERMS for w in (term.key, *term.words) if term_named(w.upper()) is not term]
    assert lost == []
