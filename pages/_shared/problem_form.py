"""The form that chooses data, model, metric and folds, or brings a table of one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from hpo_core.datasets import DATASETS, Task, load_dataset, read_table
from hpo_core.errors import TuningError
from hpo_core.fit_result import SECOND_OBJECTIVES
from hpo_core.formats import format_count
from hpo_core.landscapes import LANDSCAPES
from hpo_core.metrics import METRICS
from hpo_core.models import MODELS
from hpo_core.problem import Problem, open_problem
from pages._shared.fault import plain
from pages._shared.lab import shown_name, the_lab
from pages._shared.tuning import open_address, spec_of

MENU = "new-problem"
_OWN = "a table of your own"
_READ, _OPEN_FAULT = "problem-read", "problem-open-fault"


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is to be learned: the task, and of a table of one's own the target and whether the task was overridden."""

    task: Task
    target: str | None = None
    is_set: bool = False

    @property
    def address(self) -> dict[str, str]:
        return {k: v for k, v in (("target", self.target), ("task", self.task if self.is_set else None)) if v}


@dataclass(frozen=True, slots=True)
class _Upload:
    """An upload that was read once: the name under which it is kept, or what is wrong with it."""

    file_id: str
    kept: str | None = None
    fault: str = ""


def problem_form(current: Problem | None = None) -> None:
    """Data, model, metric and folds, set as `current` has them; the button opens the problem in place of this one."""
    lab = the_lab()
    kept = lab.kept_tables()
    names = [_OWN, *kept, *DATASETS.keys, *LANDSCAPES.keys]
    shown = Path(current.spec.data).name if current else "digits"
    data: str | None = st.selectbox(
        "Data or landscape", names, index=_place(names, shown), format_func=_data_label, key="problem-data"
    )
    if data == _OWN:
        data = _brought_table()
    if data is None:
        return
    if data in LANDSCAPES:
        noise = st.slider("Noise", 0.0, 1.0, 0.0, 0.05, key="problem-noise", help="in typical differences of height")
        address = {"data": data, **({"noise": f"{noise:g}"} if noise else {})}
        _open_button(address)
        return
    choice = _target_of(data)
    if choice is not None:
        _model_form(data, choice, current)


def chosen_problem(others: Collection[str]) -> Problem | None:
    """The problem that the address names, whose entries `others` are about something else; where it cannot be opened,
    the sentence why, and the form."""
    address = {key: value for key, value in st.query_params.to_dict().items() if key not in others}
    try:
        return open_problem(spec_of(address))
    except TuningError as fault:
        st.error(plain(str(fault)))
        problem_form()
        return None


def problem_line(problem: Problem) -> None:
    """The problem in a line, with the way to another one."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(shown_name(problem.title), anchor=False, width="content")
        menu = st.popover("Other problem", key=MENU, on_change="rerun", width="content")
    if menu.open:
        with menu, st.container(key="problem-form"):
            problem_form(problem)


def _place(names: Sequence[str], name: str) -> int:
    return list(names).index(name) if name in names else 0


def _data_label(name: str) -> str:
    if name in DATASETS:
        return DATASETS[name].label
    return f"{LANDSCAPES[name].label} (landscape)" if name in LANDSCAPES else shown_name(name)


def _brought_table() -> str | None:
    """The name of the kept table that was uploaded here; None without one that can be read."""
    upload = st.file_uploader(
        "CSV or Parquet",
        type=["csv", "tsv", "txt", "parquet"],
        key="problem-upload",
        help="The first row names the columns. It stays on this machine.",
    )
    if upload is None:
        return None
    read = st.session_state.get(_READ)
    if read is None or read.file_id != upload.file_id:
        read = st.session_state[_READ] = _read_upload(upload)
    if read.fault:
        st.error(plain(read.fault))
    return read.kept


def _read_upload(upload: Any) -> _Upload:
    try:
        read_table(upload, upload.name)
        return _Upload(upload.file_id, kept=the_lab().keep_table(upload.name, upload.getvalue()))
    except TuningError as fault:
        return _Upload(upload.file_id, fault=str(fault))


def _target_of(data: str) -> _Choice | None:
    """The target column and the task that a person chose; None where the table cannot be tuned on like that."""
    if data in DATASETS:
        return _Choice(DATASETS[data].task)
    try:
        path = the_lab().data_of(data)
        columns = _columns(path)
        target = st.selectbox("Target", columns, index=len(columns) - 1, key=f"problem-target-{data}")
        seen = _seen_task(path, target)
        task = st.segmented_control(
            "Task", ["classification", "regression"], default=seen, required=True, key=f"problem-task-{data}-{target}"
        )
        summary = _summary(path, target, task)
    except TuningError as fault:
        st.error(plain(shown_name(str(fault))))
        return None
    st.caption(plain(summary))
    return _Choice(task, target, is_set=task != seen)


@st.cache_data(max_entries=64, show_spinner=False)
def _columns(path: str) -> list[str]:
    return [str(c) for c in read_table(path).columns]


@st.cache_data(max_entries=64, show_spinner=False)
def _seen_task(path: str, target: str) -> Task:
    """The task as the target looks, also where that task is not possible."""
    try:
        return load_dataset(path, target).task
    except TuningError:
        return "classification"


@st.cache_data(max_entries=64, show_spinner=False)
def _summary(path: str, target: str, task: Task) -> str:
    loaded = load_dataset(path, target, task)
    size = f"{format_count(loaded.n_rows, 'row')}, {format_count(loaded.features.shape[1], 'column')} to learn from."
    return " ".join([size, *loaded.notes])


def _model_form(data: str, choice: _Choice, current: Problem | None) -> None:
    task = choice.task
    models = [m.key for m in MODELS if task in m.tasks and not m.why_unavailable]
    shown = current.spec.model if current and current.spec.model in models else "random_forest"
    model = st.selectbox(
        "Model",
        models,
        index=_place(models, shown),
        format_func=lambda k: MODELS[k].label,
        key=f"problem-model-{task}",
    )
    st.caption(MODELS[model].purpose)
    metrics = [m.name for m in METRICS if task in m.tasks]
    metric = st.selectbox("Metric", metrics, format_func=_metric_label, key=f"problem-metric-{task}")
    second = st.selectbox(
        "Also keep small",
        ["", *SECOND_OBJECTIVES],
        index=_place(["", *SECOND_OBJECTIVES], current.spec.second if current else ""),
        format_func=lambda name: SECOND_OBJECTIVES.get(name, "nothing else, the score alone"),
        key="problem-second",
        help="A second objective: the search then looks for the best trade-offs between both.",
    )
    folds = st.slider("Folds", 2, 10, 5, key="problem-folds")
    address = {"data": data, "model": model, "metric": metric, "folds": str(folds), **choice.address}
    address |= {"second": second} if second else {}
    _open_button(address)


def _open_button(address: Mapping[str, str]) -> None:
    st.button("Open", type="primary", key="problem-open", on_click=_open, args=(address,))
    if fault := st.session_state.pop(_OPEN_FAULT, ""):
        st.error(plain(fault))


def _open(address: Mapping[str, str]) -> None:
    """Goes to a problem that can be opened; of another one, the form says what is wrong, and the bench stays."""
    try:
        open_problem(spec_of(address))
    except TuningError as fault:
        st.session_state[_OPEN_FAULT] = str(fault)
    else:
        st.session_state[MENU] = False
        open_address(address)


def _metric_label(name: str) -> str:
    metric = next(m for m in METRICS if m.name == name)
    return f"{metric.label} {'↑' if metric.direction == 'maximize' else '↓'}"
