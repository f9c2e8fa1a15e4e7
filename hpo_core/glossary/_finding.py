"""Terms found by their name or by a text, and linked where they stand in a text of the lab."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import cache
from html import escape

from hpo_core.errors import UsageError
from hpo_core.glossary._term import Term
from hpo_core.glossary.terms import TERMS

_MOST_LINKS = 3
_BY_WORD = {word.casefold(): term for term in TERMS for word in (term.key, *term.words)}
_LINKED = {word.casefold(): term for term in TERMS if not term.is_everyday for word in term.words}
# The longest first, so that "Gaussian process" is not taken for a shorter word in it.
_ANY = "|".join(re.escape(word) for word in sorted(_LINKED, key=len, reverse=True))
_WORDS = re.compile(rf"(?<![\w-])({_ANY})(s?)(?![\w-])", re.IGNORECASE)


def term_named(name: str) -> Term:
    """The term with this name, key or alias, in any case.

    Raises:
        UsageError: There is none; the message names those that are written alike.
    """
    wanted = name.strip().casefold()
    if wanted in _BY_WORD:
        return _BY_WORD[wanted]
    alike = difflib.get_close_matches(wanted, _BY_WORD, n=3)
    near = ", ".join(dict.fromkeys(_BY_WORD[word].name for word in alike))
    hint = f"is it {near}?" if near else "`glossary` without a term lists all."
    raise UsageError(f"The glossary has no term {name!r}; {hint}")


def found_terms(text: str) -> tuple[Term, ...]:
    """Terms that have all words of a text in their names, aliases or meaning; all for "". By alphabet, those whose
    name begins with the text first."""
    wanted = text.casefold().split()
    found = [t for t in TERMS if all(w in " ".join((*t.words, t.meaning)).casefold() for w in wanted)]
    start = " ".join(wanted)
    return tuple(sorted(found, key=lambda t: (not t.name.casefold().startswith(start), t.name.casefold())))


def address_of(term: Term) -> str:
    """The address of the glossary, open at this term."""
    return f"/learn?glossary={term.key}"


@cache
def linked_html(text: str) -> str:
    """A text of the lab as HTML, escaped, in which the first terms link to the glossary and tell their meaning."""
    return _linked(text, escape, _html_link)


@cache
def linked_markdown(text: str) -> str:
    """The same for a text that is Markdown already."""
    return _linked(text, str, _markdown_link)


def _linked(text: str, said: Callable[[str], str], link: Callable[[Term, str], str]) -> str:
    """The text with the first occurrence of each of its first terms as a link, and the rest as it is said."""
    parts, end, seen = [], 0, set[str]()
    for match in _WORDS.finditer(text):
        term = _LINKED[match[1].casefold()]
        if term.name in seen or len(seen) == _MOST_LINKS:
            continue
        seen.add(term.name)
        parts += [said(text[end : match.start()]), link(term, match[0])]
        end = match.end()
    return "".join([*parts, said(text[end:])])


def _html_link(term: Term, words: str) -> str:
    title = escape(term.meaning, quote=True)
    return f'<a class="lab-term" href="{address_of(term)}" target="_self" title="{title}">{escape(words)}</a>'


def _markdown_link(term: Term, words: str) -> str:
    title = term.meaning.replace('"', "'")
    return f'[{words}]({address_of(term)} "{title}")'
