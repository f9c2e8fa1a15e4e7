"""The line that says what is tuned, and the form that chooses something else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import streamlit as st

from hpo_core.datasets import DATASETS, Task, load_dataset, read_table
from hpo_core.errors import TuningError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.metrics import METRICS
from hpo_core.models import MODELS
from hpo_core.problem import ModelProblem, Problem
from pages._shared.lab import the_lab
from pages._shared.tuning import Tuning, open_address

_OWN = "a table of your own"


def problem_bar(tuning: Tuning) -> None:
    """Title, figures of the data, and the way to another problem."""
    left, right = st.columns([6, 1.2], vertical_alignment="center")
    with left:
        st.html(_line(tuning))
    with right, st.popover("New problem", width="stretch"):
        problem_form(tuning.problem)


def choose_problem(fault: str) -> None:
    """The page when the address cannot be opened: why, and the way out."""
    st.html(f'<div class="lab-empty"><h3>This address cannot be opened</h3><p>{escape(fault)}</p></div>')
    st.button("Open the first problem", type="primary", on_click=open_address, args=({},))
    with st.container(key="card-problem"):
        problem_form()


def _line(tuning: Tuning) -> str:
    parts = tuning.problem.title.split(" · ")
    n_named = 2 if isinstance(tuning.problem, ModelProblem) else 1
    name = " · ".join(parts[:n_named])
    figures = " · ".join([*parts[n_named:], *_figures(tuning.problem)])
    study = (
        f"study <b>{escape(tuning.study.name)}</b>" if tuning.study else "no study yet: it begins with your first move"
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in tuning.problem.notes)
    n_notes = len(tuning.problem.notes)
    summary = f"{n_notes} note{'s' if n_notes > 1 else ''} on the data"
    more = f"<details><summary>{summary}</summary><ul>{notes}</ul></details>"
    return (
        f'<div class="lab-problem"><h1>{escape(name)}</h1>'
        f"<p>{escape(figures)} · {study}</p>{more if notes else ''}</div>"
    )


def _figures(problem: Problem) -> list[str]:
    if not isinstance(problem, ModelProblem):
        return []
    locked = len(problem.split.test)
    return [f"{problem.n_development:,} rows + {locked:,} locked"]


def problem_form(current: Problem | None = None) -> None:
    """Data, model, metric and folds, set as `current` has them; the button opens the problem in place of this one."""
    lab = the_lab()
    kept = lab.kept_tables()
    names = [*DATASETS.keys, *kept, *LANDSCAPES.keys, _OWN]
    shown = Path(current.spec.data).name if current else "digits"
    data = st.selectbox(
        "Data or landscape", names, index=_place(names, shown), format_func=_data_label, key="problem-data"
    )
    if data == _OWN:
        _bring_table()
        return
    if data in LANDSCAPES:
        noise = st.slider("Noise", 0.0, 1.0, 0.0, 0.05, key="problem-noise", help="in typical differences of height")
        address = {"data": data, **({"noise": f"{noise:g}"} if noise else {})}
        st.button("Open", type="primary", key="problem-open", on_click=open_address, args=(address,))
        return
    target, task = _target_of(data)
    if task is not None:
        _model_form(data, target, task, current)


def _place(names: Sequence[str], name: str) -> int:
    return list(names).index(name) if name in names else 0


def _data_label(name: str) -> str:
    if name in DATASETS:
        return DATASETS[name].label
    return f"{LANDSCAPES[name].label} (landscape)" if name in LANDSCAPES else name


def _bring_table() -> None:
    upload = st.file_uploader("CSV or Parquet", type=["csv", "tsv", "txt", "parquet"], key="problem-upload")
    if upload is None:
        return
    try:
        read_table(upload, upload.name)
    except TuningError as fault:
        st.error(str(fault))
        return
    kept = the_lab().keep_table(upload.name, upload.getvalue())
    st.success(f"Kept as {kept}. Choose it above.")


def _target_of(data: str) -> tuple[str | None, Task | None]:
    """The target column and task; None for the task until they are known."""
    if data in DATASETS:
        return None, DATASETS[data].task
    try:
        path = the_lab().data_of(data)
        columns = [str(c) for c in read_table(path).columns]
        target = st.selectbox("Target", columns, index=len(columns) - 1, key=f"problem-target-{data}")
        loaded = load_dataset(path, target)
    except TuningError as fault:
        st.error(str(fault))
        return None, None
    st.caption(f"{loaded.n_rows:,} rows, {loaded.features.shape[1]} columns, {loaded.task}. {' '.join(loaded.notes)}")
    return target, loaded.task


def _model_form(data: str, target: str | None, task: Task, current: Problem | None) -> None:
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
    metrics = [m for m in METRICS if task in m.tasks]
    metric = st.selectbox("Metric", [m.name for m in metrics], format_func=_metric_label, key=f"problem-metric-{task}")
    folds = st.slider("Folds", 2, 10, 5, key="problem-folds")
    address = {"data": data, "model": model, "metric": metric, "folds": str(folds)}
    if target:
        address["target"] = target
    st.button("Open", type="primary", key="problem-open", on_click=open_address, args=(address,))


def _metric_label(name: str) -> str:
    metric = next(m for m in METRICS if m.name == name)
    return f"{metric.label} {'↑' if metric.direction == 'maximize' else '↓'}"


__all__ = ["choose_problem", "problem_bar", "problem_form"]
