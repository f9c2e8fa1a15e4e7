"""What one person tunes: the problem, the study, the widgets' values, the nudge under way. Kept for the browser
session.

The URL says which: `?study=NAME`, or `?data=...&model=...&metric=...&folds=...`, with `p.NAME=VALUE` for parameters
that differ from their defaults.
"""

from __future__ import annotations

import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

import streamlit as st

from hpo_core.errors import StorageError, TuningError, UsageError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.problem import Problem, ProblemSpec, open_problem
from hpo_core.protocol import Protocol
from hpo_core.search import Suggestion, make_study, problem_of, recover
from hpo_core.search.manual import Nudge
from hpo_core.search.turnstile import Turnstile
from hpo_core.space import AnyParameter, Categorical, Configuration, Float, Int
from hpo_core.studies.study import Study
from pages._shared.address import PARAMETER, faults_in
from pages._shared.lab import the_lab
from pages._shared.parameter_row import Move

_KEY = "tuning"
_BENCHES: WeakValueDictionary[str, Tuning] = WeakValueDictionary()
_FIRST = {"data": "digits", "model": "svm"}
_PROBLEM_KEYS = ("data", "model", "metric", "target", "task", "protocol", "folds", "column", "noise", "second")
_OWN_KEYS = ("study", *_PROBLEM_KEYS)


@dataclass(eq=False)
class Tuning:
    """One person's bench.

    Attributes:
        address: The part of the URL that it was opened from.
        problem: What is tuned.
        study: Where trials go; None until the first nudge or search.
        parent: Name of the study that it is a child of; "" for none.
        values: A value for every parameter, active or not.
        nudge: The configuration scored last; None before the first.
        baseline: The default configuration.
        previous: The configuration that was scored before, to the end.
        trail: Configurations in the order they were set, and `place` among them, for undo and redo.
        notices: Sentences to show until the person's next move.
        machine_fault: Why what was asked of the search last could not be done.
        suggestion: What a method would try next, while a person looks at it.
        refused: Suggestions that the person did not want.
        sliders_moved: Whether another part of the page has moved the sliders, which are to be drawn anew.
        faults: By parameter, why what the person typed there last was not taken.
        turns: By parameter, a text that is another one each time that something else than its own row set its value.
        moves: By parameter, the id of the move that was taken in last.
        serial: How many nudges there were, the one of now included.
        charted: What the charts were drawn from last; None before, and while they renew themselves.
        rests: The id of the last word from the browser that the hand rests.
        turnstile: Says whether the next configuration may be tried, where the person plays in a class.
        lock: Held by whoever moves the sliders: the script of the page, or a move that came past it.
    """

    address: dict[str, str]
    problem: Problem
    study: Study | None
    values: dict[str, Any]
    parent: str = ""
    who: str = field(default_factory=lambda: uuid.uuid4().hex)
    nudge: Nudge | None = None
    baseline: Nudge | None = None
    previous: Nudge | None = None
    trail: list[Configuration] = field(default_factory=list)
    place: int = -1
    notices: list[str] = field(default_factory=list)
    machine_fault: str = ""
    suggestion: Suggestion | None = None
    refused: list[Suggestion] = field(default_factory=list)
    sliders_moved: bool = False
    faults: dict[str, str] = field(default_factory=dict)
    turns: defaultdict[str, str] = field(default_factory=lambda: defaultdict(_new_turn))
    moves: dict[str, str] = field(default_factory=dict)
    serial: int = 0
    charted: tuple[Any, ...] | None = None
    rests: str = ""
    turnstile: Turnstile | None = None
    lock: Any = field(default_factory=RLock, repr=False)

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
    if tuning is None or tuning.address != address or _is_gone(tuning.study):
        tuning = _opened(address)
        st.session_state[_KEY] = tuning
        make_known(tuning)
    return tuning


def last_tuning() -> Tuning:
    """The bench of this session, whatever the page: the one that was last open on Tune, or the first problem."""
    tuning: Tuning | None = st.session_state.get(_KEY)
    return _opened(_FIRST) if tuning is None or _is_gone(tuning.study) else tuning


def make_known(tuning: Tuning) -> None:
    """Lets `bench_of` find a bench for as long as somebody holds it."""
    _BENCHES[tuning.who] = tuning


def bench_of(who: str) -> Tuning | None:
    """The bench of a person on this server; None if there is none."""
    return _BENCHES.get(who)


def _is_gone(study: Study | None) -> bool:
    """Whether somebody has deleted or renamed the study since it was opened."""
    return study is not None and not the_lab().storage.has(study.name)


def open_address(address: Mapping[str, str]) -> None:
    """Goes to another problem or study: the URL changes, and the next run opens it."""
    st.query_params.from_dict(dict(address))
    st.session_state.pop(_KEY, None)


def is_news(tuning: Tuning, name: str, move: Move) -> bool:
    """Whether a move in a parameter's row counts: it is not known yet, and nothing else has set the value since."""
    is_known = tuning.moves.get(name) == move.id
    tuning.moves[name] = move.id
    return not is_known and move.turn == tuning.turns[name]


def move_sliders(tuning: Tuning, action: Callable[..., None], *arguments: Any) -> None:
    """A callback: does what moves the sliders, then draws them and the charts in one run of the page."""
    is_known = tuning.study is not None  # else the whole page must learn of the new study
    with tuning.lock:
        action(tuning, *arguments)
    if is_known:
        draw_anew()
    else:
        st.rerun()


def draw_anew() -> None:
    """In a callback: draws the sliders and the charts."""
    st.rerun(["by-hand", "live-charts"])


def set_value(tuning: Tuning, parameter: AnyParameter, value: Any) -> None:
    """Sets one parameter, as its row did, and scores it. What is not allowed is said at the row, which goes back."""
    _begin_move(tuning)
    if why := parameter.why_invalid(value):
        tuning.faults[parameter.name] = why
        tuning.turns.pop(parameter.name, None)
        return
    tuning.values[parameter.name] = parameter.snapped(value) if isinstance(parameter, Float) else value
    _try(tuning, tuning.configuration)


def load(tuning: Tuning, configuration: Mapping[str, Any], suggested_by: str = "") -> None:
    """Puts the sliders on a configuration and scores it; `suggested_by` is the method that it comes from, if one."""
    _begin_move(tuning)
    tuning.values = {**tuning.problem.space.defaults(), **configuration}
    tuning.turns.clear()
    _try(tuning, tuning.configuration, suggested_by)


def place(tuning: Tuning, configuration: Mapping[str, Any]) -> None:
    """Puts the sliders on a configuration without scoring it: the person's next move does."""
    _begin_move(tuning)
    tuning.values = {**tuning.problem.space.defaults(), **configuration}
    tuning.turns.clear()


def step_back(tuning: Tuning, steps: int) -> None:
    """Undo (1) or redo (-1)."""
    if not 0 <= tuning.place - steps < len(tuning.trail):
        return  # a second click before the button was redrawn
    _begin_move(tuning)
    if not _is_let_through(tuning, tuning.trail[tuning.place - steps]):
        return
    tuning.place -= steps
    tuning.values = {**tuning.values, **tuning.trail[tuning.place]}
    tuning.turns.clear()
    _score(tuning)


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best trial of a study, whoever made it."""

    number: int
    configuration: Configuration
    fold_scores: tuple[float, ...]


def best_trial(tuning: Tuning) -> BestTrial | None:
    """The best trial of the study; None without any."""
    if tuning.study is None:
        return None
    table = the_lab().table_of(tuning.study)
    row = table.best()
    if row is None:
        return None
    return BestTrial(int(table.numbers[row]), table.configuration(row), tuple(table.fold_scores[row].tolist()))


def study_of(tuning: Tuning) -> Study:
    """The study of this bench, made now if there is none: the default configuration becomes its first trial."""
    if tuning.study is None:
        lab = the_lab()
        tuning.study = make_study(lab.storage, tuning.problem)
        lab.manual.nudge(
            tuning.problem, tuning.problem.space.default(), who=(tuning.who, "first"), study=tuning.study, arm="default"
        )
        tuning.address = {"study": tuning.study.name}
        _put_in_url(tuning.address)
    return tuning.study


def score_default(tuning: Tuning) -> None:
    """Scores the default configuration, so that there is something to see and to compare with from the start."""
    if tuning.baseline is None:
        tuning.baseline = the_lab().manual.nudge(
            tuning.problem, tuning.problem.space.default(), who=(tuning.who, "default")
        )
    if tuning.nudge is None and tuning.configuration == tuning.problem.space.default():
        tuning.nudge, tuning.serial = tuning.baseline, 1
        tuning.trail, tuning.place = [tuning.configuration], 0
    elif tuning.nudge is None:
        _try(tuning, tuning.configuration)


def _try(tuning: Tuning, configuration: Configuration, suggested_by: str = "") -> None:
    with tuning.lock:
        if not _is_let_through(tuning, configuration):
            return
        if tuning.place < 0 or tuning.trail[tuning.place] != configuration:
            tuning.trail = [*tuning.trail[: tuning.place + 1], configuration]
            tuning.place = len(tuning.trail) - 1
        _score(tuning, suggested_by)


def _is_let_through(tuning: Tuning, configuration: Configuration) -> bool:
    """Whether it may be tried; else a notice says why not, and the sliders go back to what is scored."""
    if tuning.turnstile is None or tuning.nudge is None:
        return True
    the_lab().manual.cancel(tuning.nudge)  # as the next one would; what is through stays
    why = tuning.turnstile.why_not(configuration)
    if why:
        tuning.notices.append(why)
        tuning.values = {**tuning.problem.space.defaults(), **tuning.nudge.configuration}
        tuning.turns.clear()
    return not why


def _score(tuning: Tuning, suggested_by: str = "") -> None:
    if tuning.nudge is not None and tuning.nudge.is_done and not tuning.nudge.is_cancelled:
        tuning.previous = tuning.nudge
    try:
        tuning.nudge = the_lab().manual.nudge(
            tuning.problem,
            tuning.configuration,
            who=tuning.who,
            study=_study_if_any(tuning),
            suggested_by=suggested_by,
        )
    except TuningError as fault:
        tuning.notices.append(str(fault))
        return
    if tuning.turnstile is not None:
        tuning.turnstile.let_through(tuning.nudge)
    tuning.serial += 1


def _study_if_any(tuning: Tuning) -> Study | None:
    """Where the next trial goes; None, with a notice, while nothing can be written."""
    try:
        return study_of(tuning)
    except StorageError as fault:
        tuning.notices.append(f"Scored, but not recorded: {fault}")
        return None


def _new_turn() -> str:
    return secrets.token_hex(4)


def _begin_move(tuning: Tuning) -> None:
    tuning.notices.clear()
    tuning.faults.clear()


def put_parameters_in_url(tuning: Tuning) -> None:
    """The URL says which parameters are not at their defaults."""
    default = tuning.problem.space.default()
    changed = {PARAMETER + n: str(v) for n, v in tuning.configuration.items() if default.get(n) != v}
    _put_in_url({**tuning.address, **changed})


def _put_in_url(own: Mapping[str, str]) -> None:
    """Replaces what the bench says in the URL; what other parts of the page keep there stays."""
    before = st.query_params.to_dict()
    after = {**own, **{k: v for k, v in before.items() if k not in _OWN_KEYS and not k.startswith(PARAMETER)}}
    if after != before:
        st.query_params.from_dict(after)


def _address() -> dict[str, str]:
    query = st.query_params.to_dict()
    if "study" in query:
        return {"study": query["study"]}
    return {key: query[key] for key in _PROBLEM_KEYS if key in query}


def _opened(address: dict[str, str]) -> Tuning:
    lab = the_lab()
    if "study" in address:
        study = lab.study(address["study"])
        recover(study)
        problem = problem_of(study)
        parents = (s.parent for s in lab.storage.summaries() if s.name == study.name)
        tuning = Tuning(address, problem, study, problem.space.defaults(), next(parents, ""))
    else:
        problem = open_problem(spec_of(address))
        tuning = Tuning(address, problem, None, problem.space.defaults())
    _take_parameters(tuning)
    tuning.notices += faults_in(st.query_params.to_dict(), _OWN_KEYS, problem)
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
        second=given.get("second", ""),
    )


def address_of(spec: ProblemSpec) -> dict[str, str]:
    """The URL entries by which `spec_of` finds a problem again, as far as an address can say."""
    protocol = spec.protocol
    given = {
        "data": spec.data if spec.data in LANDSCAPES else Path(spec.data).name,
        "model": spec.model,
        "metric": spec.metric if spec.model else "",
        "target": spec.target,
        "task": spec.task,
        "protocol": protocol.kind if protocol.kind != "kfold" else "",
        "folds": str(protocol.folds),
        "column": protocol.column,
        "noise": f"{spec.noise:g}" if spec.noise else "",
    }
    return {key: value for key, value in given.items() if value}


def _number(given: Mapping[str, str], key: str, default: float) -> float:
    try:
        return float(given.get(key, default))
    except ValueError as fault:
        raise UsageError(f"The address says {key}={given[key]!r}, which must be a number.") from fault


def _take_parameters(tuning: Tuning) -> None:
    """Parameters that the URL sets; those that cannot be are left at their defaults, and said."""
    for key, text in st.query_params.to_dict().items():
        if key.startswith(PARAMETER):
            _take_parameter(tuning, key.removeprefix(PARAMETER), text)


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
