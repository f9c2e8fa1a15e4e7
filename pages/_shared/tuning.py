"""What one person tunes: the problem, the study, the widgets' values, the nudge under way. Kept for the browser
session.

The URL says which: `?study=NAME`, or `?data=...&model=...&metric=...&folds=...`, with `p.NAME=VALUE` for parameters
that differ from their defaults.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from hpo_core.errors import TuningError, UsageError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.problem import Problem, ProblemSpec, open_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study, problem_of, recover
from hpo_core.search.manual import Nudge
from hpo_core.space import AnyParameter, Categorical, Configuration, Int
from hpo_core.studies.study import Study
from pages._shared.lab import the_lab

_KEY = "tuning"
_WIDGET = "parameter-"
_FIRST = {"data": "digits", "model": "svm"}
_PROBLEM_KEYS = ("data", "model", "metric", "target", "task", "protocol", "folds", "column", "noise")


@dataclass
class Tuning:
    """One person's bench.

    Attributes:
        address: The part of the URL that it was opened from.
        problem: What is tuned.
        study: Where trials go; None until the first nudge or search.
        values: A value for every parameter, active or not.
        nudge: The configuration scored last; None before the first.
        baseline: The default configuration.
        announced: The last nudge whose end the whole page has been told of.
        trail: Configurations in the order they were set, and `place` among them, for undo and redo.
        notices: Sentences to show until the person's next move.
    """

    address: dict[str, str]
    problem: Problem
    study: Study | None
    values: dict[str, Any]
    who: str = field(default_factory=lambda: uuid.uuid4().hex)
    nudge: Nudge | None = None
    baseline: Nudge | None = None
    announced: Nudge | None = None
    trail: list[Configuration] = field(default_factory=list)
    place: int = -1
    notices: list[str] = field(default_factory=list)

    @property
    def configuration(self) -> Configuration:
        return self.problem.space.completed(self.values)

    @property
    def can_undo(self) -> bool:
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        return self.place < len(self.trail) - 1


def current_tuning() -> Tuning:
    """The bench that the URL names, opened if it is another than before.

    Raises:
        TuningError: The URL names something that cannot be opened.
    """
    address = _address()
    tuning: Tuning | None = st.session_state.get(_KEY)
    if tuning is None or tuning.address != address:
        tuning = _opened(address)
        st.session_state[_KEY] = tuning
        _fill_widgets(tuning)
    return tuning


def open_address(address: Mapping[str, str]) -> None:
    """Goes to another problem or study: the URL changes, and the next run opens it."""
    st.query_params.from_dict(dict(address))
    st.session_state.pop(_KEY, None)


def widget_key(parameter: AnyParameter) -> str:
    """The key of a parameter's widget."""
    return _WIDGET + parameter.name


def widget_state(parameter: AnyParameter, value: Any) -> Any:
    """What the widget holds for a value: the place of a choice, as None and False mean nothing to some widgets."""
    return parameter.index(value) if isinstance(parameter, Categorical) else value


def take_widgets(tuning: Tuning) -> None:
    """Callback of every parameter's widget: takes in what the person set and scores it."""
    tuning.notices.clear()
    for p in tuning.problem.space.parameters:
        state = st.session_state.get(widget_key(p))
        if state is not None:
            tuning.values[p.name] = p.choices[state] if isinstance(p, Categorical) else state
    _try(tuning, tuning.configuration)


def load(tuning: Tuning, configuration: Mapping[str, Any]) -> None:
    """Puts the sliders on a configuration and scores it."""
    tuning.notices.clear()
    tuning.values = {**tuning.problem.space.defaults(), **configuration}
    _fill_widgets(tuning)
    _try(tuning, tuning.configuration)


def step_back(tuning: Tuning, steps: int) -> None:
    """Undo (1) or redo (-1)."""
    tuning.notices.clear()
    tuning.place -= steps
    tuning.values = {**tuning.values, **tuning.trail[tuning.place]}
    _fill_widgets(tuning)
    _score(tuning)


def best_trial(tuning: Tuning) -> Configuration | None:
    """The configuration of the study's best trial, whoever made it; None without any."""
    if tuning.study is None:
        return None
    table = the_lab().table_of(tuning.study)
    row = table.best()
    return None if row is None else table.configuration(row)


def study_of(tuning: Tuning) -> Study:
    """The study of this bench, made now if there is none: the default configuration becomes its first trial."""
    if tuning.study is None:
        lab = the_lab()
        tuning.study = make_study(lab.storage, tuning.problem)
        lab.manual.nudge(
            tuning.problem, tuning.problem.space.default(), who=(tuning.who, "first"), study=tuning.study, arm="default"
        )
        tuning.address = {"study": tuning.study.name}
        st.query_params.from_dict(tuning.address)
    return tuning.study


def score_default(tuning: Tuning) -> None:
    """Scores the default configuration, so that there is something to see and to compare with from the start."""
    if tuning.baseline is None:
        tuning.baseline = the_lab().manual.nudge(
            tuning.problem, tuning.problem.space.default(), who=(tuning.who, "default")
        )
    if tuning.nudge is None and tuning.configuration == tuning.problem.space.default():
        tuning.nudge = tuning.baseline
        tuning.trail, tuning.place = [tuning.configuration], 0
    elif tuning.nudge is None:
        _try(tuning, tuning.configuration)


def _try(tuning: Tuning, configuration: Configuration) -> None:
    if tuning.place < 0 or tuning.trail[tuning.place] != configuration:
        tuning.trail = [*tuning.trail[: tuning.place + 1], configuration]
        tuning.place = len(tuning.trail) - 1
    _score(tuning)


def _score(tuning: Tuning) -> None:
    try:
        tuning.nudge = the_lab().manual.nudge(
            tuning.problem, tuning.configuration, who=tuning.who, study=study_of(tuning)
        )
    except TuningError as fault:
        tuning.notices.append(str(fault))
    _put_parameters_in_url(tuning)


def _put_parameters_in_url(tuning: Tuning) -> None:
    default = tuning.problem.space.default()
    changed = {f"p.{n}": str(v) for n, v in tuning.configuration.items() if default.get(n) != v}
    st.query_params.from_dict({**tuning.address, **changed})


def _fill_widgets(tuning: Tuning) -> None:
    for p in tuning.problem.space.parameters:
        st.session_state[widget_key(p)] = widget_state(p, tuning.values[p.name])


def _address() -> dict[str, str]:
    query = st.query_params.to_dict()
    if "study" in query:
        return {"study": query["study"]}
    return {key: query[key] for key in _PROBLEM_KEYS if key in query}


def _opened(address: dict[str, str]) -> Tuning:
    lab = the_lab()
    if "study" in address:
        study = lab.storage.study(address["study"])
        recover(study)
        problem = problem_of(study)
        tuning = Tuning(address, problem, study, problem.space.defaults())
    else:
        problem = open_problem(spec_of(address))
        tuning = Tuning(address, problem, None, problem.space.defaults())
    _take_parameters(tuning)
    return tuning


def spec_of(address: Mapping[str, str]) -> ProblemSpec:
    """The problem that URL entries describe; the first problem for an empty address.

    Raises:
        UsageError: An entry is not a number where it must be, or names data that are not there.
    """
    given = {**(_FIRST if "data" not in address else {}), **address}
    protocol = Protocol(
        kind=given.get("protocol", "kfold"),  # type: ignore[arg-type]
        folds=int(_number(given, "folds", 5)),
        column=given.get("column"),
    )
    return ProblemSpec(
        data=the_lab().data_of(given["data"]),
        model="" if given["data"] in LANDSCAPES else given.get("model", "random_forest"),
        metric=given.get("metric", ""),
        target=given.get("target"),
        task=given.get("task"),  # type: ignore[arg-type]
        protocol=protocol,
        noise=_number(given, "noise", 0.0),
    )


def _number(given: Mapping[str, str], key: str, default: float) -> float:
    try:
        return float(given.get(key, default))
    except ValueError as fault:
        raise UsageError(f"The address says {key}={given[key]!r}, which must be a number.") from fault


def _take_parameters(tuning: Tuning) -> None:
    """Parameters that the URL sets; those that cannot be are left at their defaults, and said."""
    for key, text in st.query_params.to_dict().items():
        if key.startswith("p."):
            _take_parameter(tuning, key.removeprefix("p."), text)


def _take_parameter(tuning: Tuning, name: str, text: str) -> None:
    try:
        parameter = tuning.problem.space[name]
        value = _parsed(parameter, text)
        why = parameter.why_invalid(value)
    except (UsageError, ValueError):
        why, value = f"The address sets {name} = {text!r}, which this problem does not have.", None
    if why:
        tuning.notices.append(f"{why} The default is used.")
    else:
        tuning.values[name] = value


def _parsed(parameter: AnyParameter, text: str) -> Any:
    if isinstance(parameter, Categorical):
        return next((c for c in parameter.choices if str(c) == text), text)
    return int(text) if isinstance(parameter, Int) else float(text)


__all__ = [
    "Tuning",
    "best_trial",
    "current_tuning",
    "load",
    "open_address",
    "score_default",
    "spec_of",
    "step_back",
    "study_of",
    "take_widgets",
    "widget_key",
    "widget_state",
]
