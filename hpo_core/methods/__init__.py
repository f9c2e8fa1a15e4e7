"""Search methods, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.methods._base import (
    Capabilities,
    History,
    ResultsNeeded,
    SearchExhausted,
    SearchMethod,
    SpaceSampler,
    Strengths,
    propose,
    record_thought,
    thought_of,
    with_thought,
)

METHODS: Catalogue[SearchMethod] = Catalogue("hpo_core.methods", SearchMethod, "method")

__all__ = [
    "METHODS",
    "Capabilities",
    "History",
    "ResultsNeeded",
    "SearchExhausted",
    "SearchMethod",
    "SpaceSampler",
    "Strengths",
    "propose",
    "record_thought",
    "thought_of",
    "with_thought",
]
