"""Whether a method can search a problem."""

from __future__ import annotations

from hpo_core.fit_result import SECOND_OBJECTIVES
from hpo_core.methods import METHODS, SearchMethod
from hpo_core.problem import Problem


def why_not(method: SearchMethod, problem: Problem) -> str | None:
    """One sentence why the method cannot search the problem and what to choose instead, or None."""
    if problem.spec.second and not method.capabilities.is_multi_objective:
        able = ", ".join(m.key for m in METHODS if m.capabilities.is_multi_objective)
        second = SECOND_OBJECTIVES[problem.spec.second]
        return f"{method.label} searches for one objective alone; for {second} beside the score choose one of {able}."
    return method.why_unsuitable(problem)
