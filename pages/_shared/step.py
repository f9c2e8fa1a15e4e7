"""The shape of a last step: what can be asked once there are trials, before a winner is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hpo_core.studies.table import TrialTable
from pages._shared.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Step:
    """One step, drawn when it is looked at.

    Attributes:
        key: Names it in the URL.
        label: Its name.
        question: What it answers.
        help: How it does.
        is_there: Whether it can be taken at all, for this problem and study.
        draw: Draws its way in, its progress and what it found; it renews itself.
    """

    key: str
    label: str
    question: str
    help: str
    is_there: Callable[[Tuning, TrialTable], bool]
    draw: Callable[[Tuning, TrialTable], None]
