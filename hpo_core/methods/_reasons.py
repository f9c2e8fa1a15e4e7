"""What a method with a model records of a proposal: the prediction in the metric's unit, and the reason in words."""

from __future__ import annotations

import math
from typing import Any

from optuna.study import Study, StudyDirection

from hpo_core.formats import format_score

_PROMISES = {
    "log_ei": "the expected improvement is largest",
    "lcb": "the optimistic bound is best",
    "pi": "an improvement is most probable",
    "thompson": "a function drawn from the model is best",
}


def model_thought(
    study: Study, mean: float, sd: float, noise: float, acquisition: float, rule: str, best: float
) -> dict[str, Any]:
    """JSON values for `record_thought`.

    Args:
        study: The study; its direction turns the signs.
        mean, sd: What the model predicts of the function, lower being better.
        noise: Standard deviation of a value around the function.
        acquisition: The promise by the rule, the higher the better.
        rule: Key of the acquisition.
        best: The best value so far, lower being better.
    """
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    why = f"Here {_PROMISES[rule]}: {format_score(sign * mean)} ± {format_score(sd)} is predicted"
    why += f", the best so far is {format_score(sign * best)}."
    figures = {"mean": sign * mean, "sd": sd, "noise": noise, "acquisition": acquisition}
    known = {name: float(figure) for name, figure in figures.items() if math.isfinite(figure)}
    return {"stage": "model", "rule": rule, **known, "why": why}
