"""Searching: executors do fits, the runner asks, prunes, tells and records, and recovery keeps all of it safe."""

from hpo_core.search.child import count_fitting, make_child
from hpo_core.search.launch import check_run, execute, problem_of, resume_run, start_detached, start_run
from hpo_core.search.preview import Suggestion, suggest
from hpo_core.search.recovery import recover, recover_all
from hpo_core.search.simple import budget_of, make_study, search, study_for

__all__ = [
    "Suggestion",
    "budget_of",
    "check_run",
    "count_fitting",
    "execute",
    "make_child",
    "make_study",
    "problem_of",
    "recover",
    "recover_all",
    "resume_run",
    "search",
    "start_detached",
    "start_run",
    "study_for",
    "suggest",
]
