"""A finished trial, as it is handed over to be recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import TrialState

from hpo_core.errors import UsageError
from hpo_core.space import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTrial:
    """One configuration with its fits, value and final state.

    Attributes:
        configuration: One value for every active parameter of the study's search space.
        state: COMPLETE, PRUNED or FAIL.
        value: The score over the folds; an estimate or None for a pruned trial, None for a failed one.
        arm: Who made it: "manual", "default" or a method's key.
        started, completed: Seconds since the epoch.
        fold_scores, train_scores, fit_seconds, predict_seconds, model_bytes: By fold, NaN where not done.
        reason: Why it failed, as one plain sentence.
        thought: What its method recorded when it proposed it, JSON values.
        attributes: Further user attributes, of JSON values.
    """

    configuration: Configuration
    state: TrialState
    value: float | None
    arm: str
    started: float
    completed: float
    fold_scores: tuple[float, ...] = ()
    train_scores: tuple[float, ...] = ()
    fit_seconds: tuple[float, ...] = ()
    predict_seconds: tuple[float, ...] = ()
    model_bytes: tuple[float, ...] = ()
    reason: str = ""
    thought: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def mean_of(self, figure: str) -> float:
        """Mean over the folds of one of the figures of its fits; NaN without any."""
        known = [x for x in getattr(self, figure) if not math.isnan(x)]
        return math.fsum(known) / len(known) if known else math.nan

    def __post_init__(self) -> None:
        if not self.state.is_finished():
            raise UsageError(f"Only finished trials are recorded; this one is {self.state.name}.")
        if self.state == TrialState.COMPLETE and (self.value is None or math.isnan(self.value)):
            raise UsageError("A complete trial needs a value; give it the state FAIL and a reason if it has none.")
        if self.state == TrialState.FAIL and self.value is not None:
            raise UsageError(f"A failed trial has no value; got {self.value!r}.")
        if taken := {"arm", "figures", "reason", "thought"} & set(self.attributes):
            raise UsageError(f"The attributes {', '.join(sorted(taken))} of a trial are written by the lab itself.")
