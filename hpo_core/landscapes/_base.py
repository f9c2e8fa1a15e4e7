"""The manual of landscapes: analytic functions with a known optimum, to be minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hpo_core.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Landscape:
    """A test function. A file in this folder binds one to a module-level name.

    Attributes:
        key: Name on the command line and in URLs.
        label: Name on screen.
        purpose: One line: what is hard about it.
        source: Where it comes from (author, year).
        space: Its parameters; the default is a fixed, unremarkable starting point.
        function: Height at a configuration; lower is better.
        minimum: The lowest height in the space.
        minimisers: Configurations where it is reached.
        scale: A typical difference in height (the standard deviation over the space): one unit of noise.
    """

    key: str
    label: str
    purpose: str
    source: str
    space: SearchSpace
    function: Callable[[Mapping[str, Any]], float]
    minimum: float
    minimisers: tuple[Mapping[str, Any], ...]
    scale: float
