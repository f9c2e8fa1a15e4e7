"""Finished trials to record, for tests of the study record."""

from __future__ import annotations

import math
import random
from typing import Any

from optuna.trial import TrialState

from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.trial import FinishedTrial

SPACE = SearchSpace(
    (
        Float(name="C", low=1e-3, high=1e3, default=1.0, log=True),
        Categorical(name="kernel", choices=("rbf", "poly", "linear"), default="rbf"),
        Int(name="degree", low=2, high=6, default=3, when=Condition("kernel", ("poly",))),
        Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
        Categorical(name="shrinking", choices=(True, False, None, 1.5, 2, "auto"), default=True),
        Float(name="tol", low=0.0, high=1.0, default=0.5, step=0.25),
        Int(name="leaves", low=8, high=512, default=32, log=True),
        Int(name="depth", low=1, high=11, default=5, step=2),
    )
)
BEGIN = 1_790_000_000.0


def new_study(storage: StudyStorage, name: str = "digits", **options: Any) -> Study:
    return storage.create(name, **{"direction": "maximize", "metric": "accuracy", "space": SPACE, **options})


def finished(index: int = 0, **changes: Any) -> FinishedTrial:
    """A complete trial that follows from its index alone, with changes."""
    source = random.Random(index)
    started = BEGIN + index + round(source.random(), 6)
    scores = tuple(source.random() for _ in range(5))
    usual: dict[str, Any] = {
        "configuration": SPACE.from_unit([source.random() for _ in SPACE.names]),
        "state": TrialState.COMPLETE,
        "value": math.fsum(scores) / 5,
        "arm": source.choice(["manual", "tpe", "random"]),
        "started": started,
        "completed": started + 0.25,
        "fold_scores": scores,
        "train_scores": tuple(round(source.random(), 9) for _ in range(5)),
        "fit_seconds": tuple(round(source.random(), 6) for _ in range(5)),
        "predict_seconds": tuple(round(source.random(), 6) for _ in range(5)),
        "model_bytes": tuple(source.randrange(10_000) for _ in range(5)),
    }
    return FinishedTrial(**{**usual, **changes})


def failed(index: int = 0, reason: str = "The fit raised an error: it is singular.", **changes: Any) -> FinishedTrial:
    nothing = {"fold_scores": (), "train_scores": (), "fit_seconds": (), "predict_seconds": (), "model_bytes": ()}
    return finished(index, **{"state": TrialState.FAIL, "value": None, "reason": reason, **nothing, **changes})
