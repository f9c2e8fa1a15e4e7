"""The manual of search methods.

A method is a frozen dataclass: class variables say what it is and can do, fields declared with `option(...)` are its
options. It makes an Optuna sampler; the runner asks that sampler on an in-memory study, so a sampler may hold state, reads
trials at memory speed, and never writes to a database.

How a runner uses it::

    sampler = method.sampler(space, seed)
    study = optuna.create_study(sampler=sampler, direction=direction)
    study.add_trial(...)            # what is known already: earlier runs, the person's trials
    trial = study.ask()             # then trial.suggest_*(...) for each parameter active so far, in the order of the space
    study.tell(trial, value)        # in the order of asking

A sampler knows the whole space from the start, so it may propose all parameters jointly, conditional ones included:
`infer_relative_search_space` may return every distribution of the space; values of inactive parameters are not read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from optuna.samplers import BaseSampler

from hpo_core.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a method can handle.

    Attributes:
        kinds: Parameter kinds that it searches by its own rule (others it draws at random).
        is_conditional: Whether conditions between parameters are used, not only obeyed.
        is_finite: Whether it runs out of configurations.
        learns: Whether results steer what is asked next.
    """

    kinds: tuple[str, ...] = ("float", "int", "categorical")
    is_conditional: bool = False
    is_finite: bool = False
    learns: bool = True


@dataclass(frozen=True)
class SearchMethod(ABC):
    """How an automated arm picks configurations. A file in this folder binds an instance with default options to a name.

    Class attributes:
        key: Plain name on the command line, in URLs and as the arm's name.
        label: Name on screen.
        purpose: One line: how it picks.
        when_to_use: One or two sentences: where it is strong, and where it is not.
        source: Paper (author, year, title).
        capabilities: What it can handle.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    when_to_use: ClassVar[str]
    source: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()

    @abstractmethod
    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        """A fresh sampler. The same space, seed and history give the same proposals."""

    def why_unavailable(self, space: SearchSpace) -> str | None:
        """One sentence why it cannot search this space, or None."""
        return None

    def n_configurations(self, space: SearchSpace) -> int | None:
        """How many configurations it will propose at most; None for endless methods."""
        return None
