"""What one fit gave, and which of its figures can be a second objective beside the score."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    score: float
    train_score: float
    fit_seconds: float
    predict_seconds: float
    model_bytes: int

    def to_json(self) -> dict[str, float]:
        """The figures by name. Many times faster than `dataclasses.asdict`, which costs as much as a quick fit."""
        return {
            "score": self.score,
            "train_score": self.train_score,
            "fit_seconds": self.fit_seconds,
            "predict_seconds": self.predict_seconds,
            "model_bytes": self.model_bytes,
        }
