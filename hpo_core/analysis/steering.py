"""The steering log of a study: what was done to it, by whom and when, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.formats import format_count, format_score, format_value
from hpo_core.methods import METHODS
from hpo_core.studies.notes import Note
from hpo_core.studies.run import Event
from hpo_core.studies.table import TrialTable

_MACHINERY = ("claimed",)
_OWN = ("ended", "died")
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Steered:
    """One thing that was done to a study.

    Attributes:
        time: Seconds since the epoch.
        words: What was done, as a person says it. Names in it are as people gave them: not escaped.
        by: Who did it, as far as that is known; "the search itself" for its own end.
        is_act: Whether somebody did it, and it did not come about by itself.
    """

    time: float
    words: str
    by: str
    is_act: bool


def steering_log(table: TrialTable) -> tuple[Steered, ...]:
    """Everything that was done to a study, oldest first; what only the machinery cares about is left out."""
    found: list[Steered] = []
    method = ""
    for event in table.events:
        if event.what in _MACHINERY:
            continue
        words = _words(event, method)
        method = _method_of(event) or method
        if words:
            is_act = event.what not in _OWN
            by = str(event.detail.get("by") or "") if is_act else "the search itself"
            found.append(Steered(event.time, words, by, is_act))
    return tuple(found)


def lab_book(table: TrialTable) -> tuple[Steered, ...]:
    """The steering log with the notes that people wrote between, oldest first."""
    notes = [Steered(note.time, _noted(note), note.by, is_act=False) for note in table.notes]
    return tuple(sorted((*steering_log(table), *notes), key=lambda entry: entry.time))


def latest_before(log: tuple[Steered, ...], times: np.ndarray) -> np.ndarray:
    """Place in the log of what was done last before each time, int64, shape of `times`; -1 for nothing or no time."""
    moments = np.array([entry.time for entry in log], dtype=float)
    known = np.where(np.isnan(times), -np.inf, times)
    return np.searchsorted(moments, known, side="right") - 1


def _noted(note: Note) -> str:
    return f"note: {note.text}" if note.trial is None else f"note on trial {note.trial}: {note.text}"


def _words(event: Event, method: str) -> str:
    say = _SAYINGS.get(event.what)
    if say is None:
        return event.what.replace("_", " ")
    return say({**event.detail, "method before": method})


def _begun(detail: Mapping[str, Any]) -> str:
    now, before = _method_name(_settings(detail).get("method")), _method_name(detail["method before"])
    if before and now and now != before:
        return _with_details(f"search started anew, {now} instead of {before}", [_budget(detail)])
    return _with_details("search started", [now, _budget(detail)])


def _asked(detail: Mapping[str, Any]) -> str:
    return {"paused": "paused", "running": "resumed", "stopped": "stopped"}.get(str(detail.get("wanted")), "")


def _ended(detail: Mapping[str, Any]) -> str:
    message = detail.get("message")
    return _with_details(f"search {detail.get('state', 'ended')}", [str(message)] if message else [])


def _died(detail: Mapping[str, Any]) -> str:
    return _with_details("search died", [str(detail.get("message") or "")])


def _branched(detail: Mapping[str, Any]) -> str:
    kept = detail.get("n_trials")
    come = f", {format_count(kept, 'trial')} kept" if isinstance(kept, int) else ""
    return _with_details(f"made as a child of {detail.get('parent', 'another study')}{come}", _ranges(detail))


def _child(detail: Mapping[str, Any]) -> str:
    return _with_details(f"child study {detail.get('child', '')} made", _ranges(detail))


def _hidden(detail: Mapping[str, Any], verb: str) -> str:
    trials = detail.get("trials")
    numbers = trials if isinstance(trials, list) else []
    more = f" and {len(numbers) - _MOST_NAMED:,} more" if len(numbers) > _MOST_NAMED else ""
    named = ", ".join(map(str, numbers[:_MOST_NAMED])) + more
    return f"{'trial' if len(numbers) == 1 else 'trials'} {named} {verb}"


def _suggestion(detail: Mapping[str, Any], verb: str) -> str:
    return f"suggestion of {_method_name(detail.get('method')) or 'a method'} {verb}"


def _finals(detail: Mapping[str, Any]) -> str:
    n = detail.get("n_finalists")
    return _with_details("finalists round begun", [format_count(n, "configuration")] if isinstance(n, int) else [])


def _looked(detail: Mapping[str, Any]) -> str:
    score = detail.get("score")
    said = [str(detail.get("what", "")), format_score(score) if isinstance(score, float) else "no score"]
    return _with_details("locked rows opened", said)


_SAYINGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "begun": _begun,
    "asked": _asked,
    "budget": lambda detail: f"budget changed to {_budget(detail)}",
    "resumed": lambda detail: _with_details("search taken up again", [_budget(detail)]),
    "ended": _ended,
    "died": _died,
    "branched": _branched,
    "child": _child,
    "hidden": lambda detail: _hidden(detail, "hidden"),
    "shown": lambda detail: _hidden(detail, "shown again"),
    "suggestion": lambda detail: _suggestion(detail, "run by hand"),
    "refused": lambda detail: _suggestion(detail, "refused"),
    "finals": _finals,
    "looked": _looked,
}


def _with_details(head: str, details: list[str]) -> str:
    said = [detail for detail in details if detail]
    return f"{head}: {', '.join(said)}" if said else head


def _budget(detail: Mapping[str, Any]) -> str:
    amount = detail.get("amount")
    return f"{amount:,.15g} {detail.get('kind', '')}".strip() if isinstance(amount, (int, float)) and amount else ""


def _ranges(detail: Mapping[str, Any]) -> list[str]:
    """New limits in words: `C locked at 3`, `gamma from 0.01 to 1`, `kernel rbf or poly`."""
    ranges = detail.get("ranges")
    entries = ranges.items() if isinstance(ranges, dict) else ()
    return [f"{name} {_limits(limits)}" for name, limits in entries if isinstance(limits, dict)]


def _limits(limits: Mapping[str, Any]) -> str:
    low, high, choices = limits.get("low"), limits.get("high"), limits.get("choices")
    if isinstance(choices, list):
        return f"locked at {choices[0]}" if len(choices) == 1 else " or ".join(map(str, choices))
    if low is not None and low == high:
        return f"locked at {format_value(low)}"
    ends = [f"{word} {format_value(end)}" for word, end in (("from", low), ("to", high)) if end is not None]
    return " ".join(ends)


def _settings(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = detail.get("settings")
    return settings if isinstance(settings, dict) else {}


def _method_of(event: Event) -> str:
    return str(_settings(event.detail).get("method") or "") if event.what == "begun" else ""


def _method_name(key: Any) -> str:
    name = str(key or "")
    return METHODS[name].label if name in METHODS else name
