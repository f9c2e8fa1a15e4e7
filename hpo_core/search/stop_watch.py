"""Ending a run by itself, when more trials are not expected to gain enough."""

from __future__ import annotations

from hpo_core.analysis.comparison import training_overlap
from hpo_core.analysis.stopping import StopAdvice, stop_advice
from hpo_core.problem import Problem
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
        self._study, self._settings = study, settings
        self._overlap = overlap_of(problem)
        self._table: TrialTable | None = None
        self._advice: StopAdvice | None = None

    def why_stop(self, n_trials: int) -> str | None:
        """The sentence why the run should end after so many trials of its own, or None."""
        if self._settings.stops_when is None or not _is_due(n_trials):
            return None
        self._table = self._study.read(self._table)
        self._advice = stop_advice(
            self._table,
            self._settings.method,
            stops_when=self._settings.stops_when,
            overlap=self._overlap,
            previous=self._advice,
        )
        return f"Stopped by itself: {self._advice.evidence}" if self._advice.verdict == "stop" else None


def overlap_of(problem: Problem) -> float:
    """Validation rows over training rows of a fold; 0 for looks at a landscape, which share nothing."""
    return training_overlap(problem.spec.protocol) if problem.spec.model else 0.0


def _is_due(n_trials: int) -> bool:
    step = next(every for limit, every in _EVERY if n_trials < limit)
    return n_trials % step == 0
