"""What one fit gave, and which of its figures can be a second objective beside the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECOND_OBJECTIVES = {"fit_seconds": "fit time", "predict_seconds": "prediction time", "model_bytes": "model size"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResult:
    """What one fit gave.

    Attributes:
        score: On the validation rows of the fold, in the metric's own unit.
        train_score: On training rows, as many as there are validation rows; NaN for landscapes.
        fit_seconds: Training, preparation included.
        predict_seconds: Prediction and scoring of the validation rows.
        model_bytes: Size of the fitted pipeline when written out; 0 for landscapes.
        heights: What the model predicts at the places of a picture; empty where none was asked for.
        learned: What training has set in the model, counted, where a picture was asked for.
    """

    score: float
    train_score: float
    fit_seconds: float
    predict_seconds: float
    model_bytes: int
    heights: tuple[float, ...] = ()
    learned: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The figures by name. Many times faster than `dataclasses.asdict`, which costs as much as a quick fit."""
        picture = {"heights": self.heights, "learned": dict(self.learned)} if self.heights else {}
        return {
            "score": self.score,
            "train_score": self.train_score,
            "fit_seconds": self.fit_seconds,
            "predict_seconds": self.predict_seconds,
            "model_bytes": self.model_bytes,
            **picture,
        }
