"""Ending a run by itself, when more trials are not expected to gain enough."""

from __future__ import annotations

from typing import Any

from hpo_core.analysis.comparison import training_overlap
from hpo_core.analysis.stopping import N_MORE, StopAdvice, stop_advice
from hpo_core.metrics import ideal_score
from hpo_core.problem import ModelProblem, Problem
from hpo_core.studies.run import RunSettings
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_EVERY = ((100, 5), (300, 10), (1_000_000_000, 25))  # below so many trials, after each so many


class StopWatch:
    """Looks at the study after a fixed number of trials, so that a run ends at the same trial however long fits take.

    Args:
        study: The study.
        problem: Its problem.
        settings: Of the run; without `stops_when` it never looks.
    """

    def __init__(self, study: Study, problem: Problem, settings: RunSettings) -> None:
        self._study, self._problem, self._settings = study, problem, settings
        self._table: TrialTable | None = None

    def why_stop(self, n_trials: int) -> str | None:
        """The sentence why the run should end after so many trials of its own, or None."""
        if self._settings.stops_when is None or not _is_due(n_trials):
            return None
        self._table = self._study.read(self._table)
        advice = advice_on(self._problem, self._table, self._settings)
        return f"Stopped by itself: {advice.evidence}" if advice.verdict == "stop" else None


def advice_on(problem: Problem, table: TrialTable, settings: RunSettings, n_more: int = N_MORE) -> StopAdvice:
    """The advice on so many more trials of a run of a problem.

    Looks at a landscape share no rows, and how low it goes is not to be known.
    """
    known: dict[str, Any] = {}
    if isinstance(problem, ModelProblem):
        known = {"overlap": training_overlap(problem.spec.protocol), "ideal": ideal_score(problem.metric)}
    return stop_advice(table, settings.method, stops_when=settings.stops_when, n_more=n_more, **known)


def _is_due(n_trials: int) -> bool:
    step = next(every for limit, every in _EVERY if n_trials < limit)
    return n_trials % step == 0
