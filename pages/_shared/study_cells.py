"""What one line of the list of studies says."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from hpo_core.formats import format_age, format_count, format_score, format_seconds
from hpo_core.methods import METHODS
from hpo_core.search.duel import DEFAULT
from hpo_core.studies.run import ACTIVE_STATES, Run
from hpo_core.studies.summary import StudySummary
from pages._shared.contests import Contest
from pages._shared.lab import shown_name
from pages._shared.study_order import Entry

STUDY_HEADS = ("Study", "State", "Best", "Trials", "Failed", "Method", "Changed")


def study_address(study: StudySummary) -> str:
    """Where a study is opened."""
    return f"/?study={quote(study.name)}" if study.is_lab else f"/study?name={quote(study.name)}"


def study_cells(entry: Entry, now: float, on_new_rows: str = "") -> str:
    """The cells of a line as HTML.

    Args:
        entry: The line.
        now: Epoch seconds.
        on_new_rows: HTML of what its best is worth on new rows.
    """
    study = entry.study
    arrow = "↑" if study.direction == "maximize" else "↓"
    is_of_class = entry.contest is not None and entry.contest.is_hidden
    is_kept_secret = is_of_class or (study.duel is not None and study.duel.is_blind)
    best = "hidden" if is_kept_secret else f"<b>{format_score(study.best_value)}</b>"
    metric = (
        f'<span class="lab-note">{escape(study.metric)} {arrow}</span>' if study.metric or not entry.contest else ""
    )
    failed = f'<span class="lab-fault">{study.n_failed:,}</span>' if study.n_failed else "0"
    cells = (
        _name(entry),
        _state(study) if entry.contest is None else _contest_state(entry.contest),
        f"{best} {metric}{'' if is_kept_secret else on_new_rows}",
        f"{study.n_trials:,}",
        failed,
        escape(_method(study)) if entry.contest is None else format_count(entry.contest.n_arms, "arm"),
        format_age(study.changed or study.created, now),
    )
    labelled = (
        f'<div class="lab-cell"><span class="lab-cell-label">{head}</span><span>{cell}</span></div>'
        for head, cell in zip(STUDY_HEADS, cells, strict=True)
    )
    return f'<div class="lab-study" style="--depth:{entry.depth}">{"".join(labelled)}</div>'


def _name(entry: Entry) -> str:
    study = entry.study
    about = "" if entry.group else shown_name(study.title)
    if study.parent:
        about = f"child of {study.parent}" + (f" · {about}" if about and not entry.depth else "")
    address = study_address(study)
    if entry.contest is not None:
        address = entry.contest.address
        about = f"{entry.contest.in_words}" + (f" · {about}" if about and not entry.contest.is_suite else "")
    link = f'<a class="lab-link" href="{address}" target="_self">{escape(study.name)}</a>'
    rails = "".join(f'<i class="lab-rail" style="--depth:{step}" aria-hidden="true"></i>' for step in entry.rails)
    branch = '<i class="lab-branch" aria-hidden="true"></i>' if entry.depth else ""
    return f'{rails}{branch}{link}<span class="lab-note">{escape(about)}</span>'


def _method(study: StudySummary) -> str:
    if study.duel is not None and study.duel.arm == DEFAULT:
        return "Default"
    if study.run is None:
        return "by hand" if study.is_lab else "other program"
    key = study.run.settings.method
    return METHODS[key].label if key in METHODS else key


def _state(study: StudySummary) -> str:
    run = study.run
    if run is None:
        return '<span class="lab-badge">no search</span>' if study.is_lab else '<span class="lab-note">–</span>'
    state = run.state if run.is_active or run.state not in ACTIVE_STATES else "died"
    state = "stopping" if run.is_active and run.wanted == "stopped" else state
    badge = f'<span class="lab-badge lab-state-{state}">{state}</span>'
    return badge + (_progress(run) if run.is_active else "")


def _contest_state(contest: Contest) -> str:
    """What its searches do together; of a class only that it is not over."""
    if contest.is_hidden:
        return '<span class="lab-badge lab-state-running">open</span>'
    run, n = contest.summary.run, contest.n_runs
    if run is not None and run.is_active:
        state = "paused" if run.wanted == "paused" else "running"
    else:
        state = "finished" if contest.n_finished == n else "stopped" if run is not None else "waiting"
    done = "" if state == "finished" else f'<span class="lab-note">{contest.n_finished:,} of {n:,} searches done</span>'
    return f'<span class="lab-badge lab-state-{state}">{state}</span>{done}'


def _progress(run: Run) -> str:
    done = float(getattr(run.spent, run.budget.kind))
    share = min(100.0, 100 * done / run.budget.amount)
    unit = "s" if run.budget.kind == "seconds" else run.budget.kind
    left = run.live.seconds_left
    more = f" · {format_seconds(left)} left" if left is not None and run.state == "running" else ""
    return (
        f'<span class="lab-note">{done:,.0f} of {run.budget.amount:,g} {unit}{more}</span>'
        f'<span class="lab-bar"><span style="width:{share:.1f}%"></span></span>'
    )
