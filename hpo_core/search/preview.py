"""What a method would try next, looked at before anything runs: asked in memory, and written nowhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hpo_core.analysis.surrogate import fit_surrogate, why_no_surrogate
from hpo_core.errors import UsageError
from hpo_core.gaussian_process import one_thread
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import Problem
from hpo_core.search.memory import Memory
from hpo_core.space import Configuration
from hpo_core.studies.run import RunSettings
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A configuration that a method would try next.

    Attributes:
        method: Key of the method.
        configuration: One value for every active parameter.
        why: One sentence: the reason that the method gives, or how it picks in general.
        mean, sd: Predicted value in the metric's unit and its standard deviation; NaN where nothing can be predicted.
        basis: Whose prediction it is: the method's own, or that of a model of the study; "" for none.
        trust: How far to trust the prediction, or why there is none.
        n_known: Trials that the study held when it was asked.
        thought: All that the method recorded.
    """

    method: str
    configuration: Configuration
    why: str
    mean: float = math.nan
    sd: float = math.nan
    basis: Literal["method", "study", ""] = ""
    trust: str = ""
    n_known: int = 0
    thought: Mapping[str, Any] = field(default_factory=dict)


def suggest(
    problem: Problem, settings: RunSettings, study: Study | None = None, refused: Sequence[Suggestion] = ()
) -> Suggestion:
    """The next configuration of a method: the one that a run with these settings would ask for next.

    The default configuration, with which a run begins where it has not been tried, counts as under way.

    Args:
        problem: What is tuned.
        settings: Of the run.
        study: What is known; None is nothing.
        refused: Suggestions that are not wanted; the method takes its own for failed, and knows those of others.

    Raises:
        UsageError: The method cannot search this problem, or an option is wrong.
        SearchExhausted: The method has no more to propose.
    """
    method = with_options(METHODS[settings.method], settings.options)
    if why := method.why_unsuitable(problem):
        raise UsageError(why)
    memory = Memory(study, problem, method, settings)
    default = problem.space.default()
    if settings.starts_with_default and not memory.knows(default):
        memory.register(default, {})
    for other in refused:
        memory.refuse(other.configuration, other.thought if other.method == method.key else {})
    _, configuration, thought = memory.ask()
    table = None if study is None else study.read()
    predicted = _own_prediction(thought) or _prediction_of_study(table, configuration)
    return Suggestion(
        method=method.key,
        configuration=configuration,
        why=str(thought.get("why") or method.purpose),
        n_known=0 if table is None else len(table),
        thought=thought,
        **predicted,
    )


def _own_prediction(thought: Mapping[str, Any]) -> dict[str, Any] | None:
    mean, sd = thought.get("mean"), thought.get("sd")
    if not (isinstance(mean, (int, float)) and isinstance(sd, (int, float)) and math.isfinite(mean) and sd >= 0):
        return None
    return {"mean": float(mean), "sd": float(sd), "basis": "method", "trust": "Predicted by the method's own model."}


def _prediction_of_study(table: TrialTable | None, configuration: Configuration) -> dict[str, Any]:
    """By a model of the trials so far; only why there is none where they are too few."""
    if table is None:
        return {"trust": "Nothing has been tried yet, so nothing can be predicted."}
    if (why := why_no_surrogate(table)) is not None:
        return {"trust": why}
    surrogate = fit_surrogate(table)
    process = surrogate.process
    with one_thread():
        predicted = process.predict(process.space.to_unit([configuration]))
    trust = surrogate.quality.in_words("model of this study")
    return {"mean": float(predicted.mean[0]), "sd": float(predicted.sd[0]), "basis": "study", "trust": trust}
