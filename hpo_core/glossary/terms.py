"""All terms, by alphabet."""

from __future__ import annotations

from hpo_core.glossary._scoring import SCORING
from hpo_core.glossary._searching import SEARCHING

TERMS = tuple(sorted((*SCORING, *SEARCHING), key=lambda term: term.name.casefold()))
