"""`datasets`, `models`, `methods`, `pruning`, `landscapes`, `lessons`, `metrics`: what there is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from hpo_core.cli.printing import print_json, print_rows
from hpo_core.datasets import DATASETS
from hpo_core.landscapes import LANDSCAPES
from hpo_core.lessons import LESSONS
from hpo_core.methods import METHODS
from hpo_core.metrics import METRICS
from hpo_core.models import MODELS, DataFacts
from hpo_core.options import options_of
from hpo_core.pruning import PRUNING

Row = dict[str, Any]


def add_commands(commands: Any) -> None:
    """Adds one command for each kind of thing."""
    for name, (rows, columns, text) in _LISTS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(run=_printer(rows, columns))


def _printer(rows: Callable[[], list[Row]], columns: tuple[str, ...]) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        if arguments.json:
            print_json(rows())
        else:
            print_rows(rows(), columns)
        return 0

    return run


def _datasets() -> list[Row]:
    return [
        {"key": d.key, "label": d.label, "task": d.task, "purpose": d.purpose, "source": d.source} for d in DATASETS
    ]


def _models() -> list[Row]:
    return [
        {
            "key": m.key,
            "label": m.label,
            "tasks": " ".join(m.tasks),
            "purpose": m.purpose,
            "source": m.source,
            "unavailable": m.why_unavailable,
            "parameters": m.space(_typical_facts(m.tasks[0])).to_json(),
        }
        for m in MODELS
    ]


def _typical_facts(task: Any) -> DataFacts:
    """Data of a common size: where ranges depend on the data, the list shows those."""
    return DataFacts(task=task, n_rows=1000, n_features=20, n_classes=2 if task == "classification" else 0)


def _methods() -> list[Row]:
    return [
        {
            "key": m.key,
            "label": m.label,
            "purpose": m.purpose,
            "when_to_use": m.when_to_use,
            "cost": m.cost,
            "source": m.source,
            "unavailable": m.why_not_installed(),
            "options": _options(m),
        }
        for m in METHODS
    ]


def _options(item: object) -> list[Row]:
    return [{"name": o.name, "default": o.default, "explanation": o.explanation} for o in options_of(type(item))]


def _pruning() -> list[Row]:
    return [
        {
            "key": r.key,
            "label": r.label,
            "purpose": r.purpose,
            "when_to_use": r.when_to_use,
            "source": r.source,
            "options": _options(r),
        }
        for r in PRUNING
    ]


def _landscapes() -> list[Row]:
    return [
        {
            "key": s.key,
            "label": s.label,
            "parameters": len(s.space),
            "minimum": s.minimum,
            "purpose": s.purpose,
            "source": s.source,
        }
        for s in LANDSCAPES
    ]


def _metrics() -> list[Row]:
    return [
        {
            "key": m.name,
            "label": m.label,
            "task": " ".join(m.tasks),
            "direction": m.direction,
            "explanation": m.explanation,
        }
        for m in METRICS
    ]


def _lessons() -> list[Row]:
    return [
        {"key": s.key, "label": s.label, "minutes": s.minutes, "purpose": s.purpose, "source": s.source}
        for s in LESSONS
    ]


_LISTS: dict[str, tuple[Callable[[], list[Row]], tuple[str, ...], str]] = {
    "datasets": (_datasets, ("key", "task", "purpose"), "list the bundled data sets"),
    "models": (_models, ("key", "tasks", "purpose", "unavailable"), "list the model families"),
    "methods": (_methods, ("key", "purpose", "unavailable"), "list the search methods"),
    "pruning": (_pruning, ("key", "purpose"), "list the rules that give up a trial between its folds"),
    "landscapes": (_landscapes, ("key", "parameters", "minimum", "purpose"), "list the landscapes"),
    "lessons": (_lessons, ("key", "minutes", "purpose"), "list the lessons of the page Learn"),
    "metrics": (_metrics, ("key", "task", "direction", "explanation"), "list the metrics"),
}
