"""What parts of Tune keep in its URL beside the problem, and what means nothing there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hpo_core.formats import format_list
from hpo_core.methods import METHODS
from hpo_core.problem import Problem
from hpo_core.search.suitability import why_not

VIEW = "view"  # the chart that is open
METHOD = "method"  # the search method that is offered first
ONLY = "only."  # before a parameter: what of it passes the filter
PARAMETER = "p."  # before a parameter: its value
_LONGEST = 40


def faults_in(query: Mapping[str, str], own: Collection[str], problem: Problem) -> list[str]:
    """Sentences for what an address says in vain.

    Args:
        query: What the address says.
        own: The keys that name a problem or study.
        problem: The problem that it names.
    """
    strange = [
        key[:_LONGEST]
        for key in query
        if key not in own and key not in (VIEW, METHOD) and not key.startswith((ONLY, PARAMETER))
    ]
    found = [f"The address says {format_list(strange)}: that means nothing here."] if strange else []
    asked = query.get(METHOD, "")
    if asked and asked not in METHODS:
        found.append(f"There is no method {asked[:_LONGEST]!r}, which the address asks for.")
    elif asked and (why := why_not(METHODS[asked], problem)):
        found.append(why)
    return found
