"""The engine of Tuning Lab: problems, search methods, studies and what can be said of them.

>>> from hpo_core import make_problem
>>> make_problem("branin").space.names
('x', 'y')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpo_core.datasets import DATASETS
    from hpo_core.landscapes import LANDSCAPES
    from hpo_core.methods import METHODS
    from hpo_core.models import MODELS
    from hpo_core.problem import make_problem, open_problem
    from hpo_core.protocol import Protocol
    from hpo_core.studies.storage import StudyStorage

# Where each public name lives. They are loaded on first use: a worker or a list of methods needs few of them.
_HOMES = {
    "DATASETS": "hpo_core.datasets",
    "LANDSCAPES": "hpo_core.landscapes",
    "METHODS": "hpo_core.methods",
    "MODELS": "hpo_core.models",
    "Protocol": "hpo_core.protocol",
    "StudyStorage": "hpo_core.studies.storage",
    "make_problem": "hpo_core.problem",
    "open_problem": "hpo_core.problem",
}

__all__ = [
    "DATASETS",
    "LANDSCAPES",
    "METHODS",
    "MODELS",
    "Protocol",
    "StudyStorage",
    "make_problem",
    "open_problem",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hpo_core' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
