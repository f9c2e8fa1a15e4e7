"""The ensemble of a study's best trials, made in the background: progress, then members, scores and the verdict."""

from __future__ import annotations

from html import escape

import streamlit as st

from hpo_core.formats import format_count, format_score, format_seconds, format_value
from hpo_core.models import MODELS
from hpo_core.problem import ModelProblem
from hpo_core.search.mixing import TOP, Mix
from hpo_core.search.study_ensemble import Member, StudyEnsemble
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.progress_bar import progress_bar
from pages._shared.step import Step
from pages._shared.tuning import Tuning

_POLL_SECONDS = 0.5
_FEWEST = 2
_HELP = (
    f"Fits the {TOP} best trials again, and takes those whose mean prediction scores best, some more than once: "
    "ensemble selection (Caruana and others, 2004)."
)


def _is_there(tuning: Tuning, table: TrialTable) -> bool:
    return isinstance(tuning.problem, ModelProblem) and int(table.is_complete.sum()) >= _FEWEST


def _step(tuning: Tuning, table: TrialTable) -> None:
    """The last ensemble of the study, renewed twice a second while it is being made; the way to the first."""
    mix = _mix(tuning)
    is_over = mix is None or mix.is_over
    every = None if is_over else _POLL_SECONDS
    guarded_fragment(_card, what="The ensemble", key="ensemble", every=every)(tuning, mix, is_over)


def ensemble_state(tuning: Tuning) -> tuple[int, bool]:
    """Which ensemble there is, and whether it is made: charts that show another are behind."""
    mix = _mix(tuning)
    return (0, False) if mix is None else (id(mix), mix.is_over)


def _mix(tuning: Tuning) -> Mix | None:
    return None if tuning.study is None else the_lab().mixer.of(tuning.study)


def _start(tuning: Tuning) -> None:
    if tuning.study is not None:
        the_lab().mixer.start(tuning.study)
    st.rerun("live-charts")


def _forget(tuning: Tuning) -> None:
    if tuning.study is not None:
        the_lab().mixer.forget(tuning.study)
    st.rerun("live-charts")


def _card(tuning: Tuning, mix: Mix | None, was_over: bool) -> None:
    if _mix(tuning) is not mix or (mix is not None and mix.is_over != was_over):
        st.rerun()  # only the page can change how often this is renewed
    with st.container(key="ensemble"):
        if mix is None:
            st.button("Mix the best", key="mix", on_click=_start, args=(tuning,))
        elif mix.ensemble is not None:
            st.html(_html(mix.ensemble, tuning.problem.metric_label))
        elif mix.is_over:
            st.html(f'<div role="status"><b>Ensemble</b><p class="lab-fault">{escape(mix.fault)}</p></div>')
        else:
            st.html(_progress_html(mix))
        if mix is not None:
            _foot(tuning, mix)


def _foot(tuning: Tuning, mix: Mix) -> None:
    with st.container(key="ensemble-foot", horizontal=True, gap="xsmall", vertical_alignment="center"):
        if not mix.is_over:
            st.button("Cancel", key="mix-cancel", on_click=_forget, args=(tuning,))
            return
        since = _trials_since(tuning, mix)
        if mix.ensemble is not None:
            st.html(f'<p class="lab-note">{_age(mix, since)}</p>')
        if mix.ensemble is None or since:
            st.button("Mix again", key="mix-again", on_click=_start, args=(tuning,))
        st.button("Close", key="mix-close", type="tertiary", on_click=_forget, args=(tuning,))


def _trials_since(tuning: Tuning, mix: Mix) -> int:
    assert tuning.study is not None
    return int(the_lab().table_of(tuning.study).is_complete.sum()) - mix.n_trials


def _age(mix: Mix, since: int) -> str:
    made = f"Made of the first {format_count(mix.n_trials, 'trial')}"
    if since > 0:
        return f"{made}; {since:,} more since."
    return f"{made}; some are hidden since." if since < 0 else f"Made of all {format_count(mix.n_trials, 'trial')}."


def _progress_html(mix: Mix) -> str:
    progress = mix.progress
    share = progress.done / progress.total if progress.total else 0.0
    return (
        f'<div class="lab-progress" role="status"><b>Ensemble</b>{progress_bar("trials fitted again", share)}'
        f'<p class="lab-note">{_doing(mix)}</p></div>'
    )


def _doing(mix: Mix) -> str:
    progress = mix.progress
    if not progress.total:
        return "Waiting for another ensemble." if mix.pid is None else "Opening the study."
    if progress.done == progress.total:
        return "Choosing the weights."
    left = "" if progress.seconds_left is None else f" · {format_seconds(progress.seconds_left)} left"
    return f"Fitting the best trials again: {progress.done} of {progress.total}{left}"


def _html(ensemble: StudyEnsemble, metric: str) -> str:
    rows = "".join(_row(member) for member in ensemble.members)
    faults = "".join(
        f'<p class="lab-fault">Trial {number} is left out: {escape(why)}</p>' for number, why in ensemble.faults.items()
    )
    single = f"{format_score(ensemble.best_score)} of trial {ensemble.best_number}, the best alone"
    scores = f"{escape(metric)} {format_score(ensemble.score)} against {single}"
    return (
        f'<div role="status"><p><b>Ensemble of {format_count(len(ensemble.members), "trial")}</b> · '
        f"{scores}, on the rows that chose the weights, which flatters it.</p>"
        f'<p class="lab-ensemble-verdict">{escape(ensemble.verdict)}</p>'
        f'<div class="lab-members-box" tabindex="0" role="region" aria-label="members of the ensemble">'
        f'<table class="lab-members"><thead><tr><th scope="col">trial</th><th scope="col">weight</th>'
        f'<th scope="col">alone</th></tr></thead><tbody>{rows}</tbody></table></div>{faults}</div>'
    )


def _row(member: Member) -> str:
    family = member.configuration.get("family")
    name = f"{member.number}" + (f" · {escape(_label(str(family)))}" if family else "")
    values = escape("\n".join(f"{key}: {format_value(value)}" for key, value in member.configuration.items()))
    return (
        f'<tr title="{values}"><th scope="row">{name}</th><td><div class="lab-weight">'
        f'<span style="width:{member.weight * 100:.1f}%"></span></div>{member.weight * 100:.0f} %</td>'
        f"<td>{format_score(member.score)}</td></tr>"
    )


def _label(family: str) -> str:
    return MODELS[family].label if family in MODELS else family


ENSEMBLE = Step("ensemble", "Ensemble", "Are several together better than the best?", _HELP, _is_there, _step)
