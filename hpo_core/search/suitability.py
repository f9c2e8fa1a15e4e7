"""Whether a method can search a problem, and how trials are best pruned then."""

from __future__ import annotations

from hpo_core.fit_result import SECOND_OBJECTIVES
from hpo_core.methods import METHODS, SearchMethod
from hpo_core.problem import Problem

_FEWEST_FOLDS = 3


def why_not(method: SearchMethod, problem: Problem) -> str | None:
    """One sentence why the method cannot search the problem and what to choose instead, or None."""
    if problem.spec.second and not method.capabilities.is_multi_objective:
        able = ", ".join(m.key for m in METHODS if m.capabilities.is_multi_objective)
        second = SECOND_OBJECTIVES[problem.spec.second]
        return f"{method.label} searches for one objective alone; for {second} beside the score choose one of {able}."
    return method.why_unsuitable(problem)


def suited_pruning(method: SearchMethod, problem: Problem) -> str:
    """Key of the rule between folds that belongs to the method, where the problem has folds enough to judge by."""
    is_judged = problem.n_folds >= _FEWEST_FOLDS and not problem.spec.second  # rules go by the score alone
    return method.pruning if is_judged else "none"
