"""Grids: the values that parameters take in them, their combinations, and an order in which to try these."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import qmc

from hpo_core.errors import UsageError
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace

Levels = Mapping[str, list[Any]]

_MOST_SOBOL_POINTS = 2**29
_MOST_VALUES = 1000


def resolutions_in(text: str) -> dict[str, int]:
    """How many values each parameter named in a text such as "C=9, gamma=5" takes.

    >>> resolutions_in("C=9, gamma=5")
    {'C': 9, 'gamma': 5}

    Raises:
        UsageError: The text cannot be read; the sentence names the first part that is wrong.
    """
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, number = (piece.strip() for piece in part.rpartition("="))
        if not name or not number.isascii() or not number.isdigit():
            raise UsageError(f"write name=number, with commas between, such as C=9, gamma=5; got {part!r}.")
        if name in found:
            raise UsageError(f"{name} is named twice.")
        if not 1 <= len(number) <= 6 or not 1 <= int(number) <= _MOST_VALUES:
            raise UsageError(f"{name} must take from 1 to {_MOST_VALUES} values; got {number}.")
        found[name] = int(number)
    return found


def why_no_resolutions(text: str) -> str | None:
    """One sentence why `resolutions_in` cannot read a text, or None."""
    try:
        resolutions_in(text)
    except UsageError as fault:
        return str(fault)
    return None


def why_no_numbers(names: Iterable[str], space: SearchSpace) -> str | None:
    """One sentence which of these names is no numeric parameter of the space, or None."""
    numeric = [p.name for p in space.parameters if not isinstance(p, Categorical)]
    for name in names:
        if name not in space.names:
            return f"There is no parameter {name!r} to set a number of values for; there are {_listed(numeric)}."
        if name not in numeric:
            return f"{name} is a category and takes all its choices; leave it out, or narrow its choices."
    return None


def whole_range(space: SearchSpace, resolution: int, others: Mapping[str, int] | None = None) -> Levels:
    """Evenly spaced values over the whole ranges, all choices of categories; `others` holds single resolutions."""
    return {p.name: list(p.levels((others or {}).get(p.name, resolution))) for p in space.parameters}


def around(space: SearchSpace, centre: Mapping[str, Any], width: float, resolution: int) -> Levels:
    """Values in a box of this width, in widths of the ranges, around a configuration.

    The box is cut at the ends of the ranges without a change of its spacing. Categories stay as in the centre; what is
    inactive there takes values of its whole range.
    """
    return {p.name: _around(p, centre, width, resolution) for p in space.parameters}


def _around(p: AnyParameter, centre: Mapping[str, Any], width: float, resolution: int) -> list[Any]:
    if p.name not in centre:
        return list(p.levels(resolution))
    if isinstance(p, Categorical):
        return [centre[p.name]]
    middle = p.unit(centre[p.name])
    units = np.linspace(middle - width / 2, middle + width / 2, resolution)
    inside = units[(units > -1e-9) & (units < 1 + 1e-9)].tolist()
    return list(dict.fromkeys(p.from_unit(unit) for unit in inside)) or [centre[p.name]]


class Grid:
    """The configurations of a grid, each with a rank from 0 on; none is stored.

    A space is a forest: each parameter stands under the one that its condition names. The number of combinations under
    a parameter is the sum over its levels of the product over the parameters that this level makes active; ranks count
    through them in mixed radix.

    Attributes:
        size: The number of configurations.
    """

    def __init__(self, space: SearchSpace, levels: Levels) -> None:
        self._space = space
        self._levels = levels
        self._roots = [p for p in space.parameters if p.when is None]
        self._children: dict[tuple[str, int], list[AnyParameter]] = {}
        self._sizes: dict[tuple[str, int], int] = {}
        for p in reversed(space.parameters):
            for i, level in enumerate(self._levels[p.name]):
                children = [c for c in space.parameters if c.when and c.when.holds({p.name: level})]
                self._children[p.name, i] = children
                self._sizes[p.name, i] = math.prod(map(self._n_under, children))
        self.size = math.prod(map(self._n_under, self._roots))

    def __getitem__(self, rank: int) -> Configuration:
        """The configuration of a rank from 0 to size - 1."""
        configuration: Configuration = {}
        self._fill(configuration, self._roots, rank)
        return self._space.active(configuration)

    def at(self, point: Iterable[float]) -> Configuration:
        """The configuration whose cell holds a point of the unit cube; the levels of an axis share it evenly."""
        levels = {
            p.name: self._levels[p.name][min(int(unit * len(self._levels[p.name])), len(self._levels[p.name]) - 1)]
            for p, unit in zip(self._space.parameters, point, strict=True)
        }
        return self._space.active(levels)

    def walk(self, seed: Sequence[int] | None = None) -> Iterator[Configuration]:
        """Every configuration, some more than once, in an order that covers the grid evenly wherever it stops.

        First the cells that a Sobol sequence visits, from the middle on or scrambled by a seed, for eight times as
        many points as there are configurations. What it has missed comes after that, at a golden-ratio stride through
        the ranks.
        """
        for point in _sobol_points(len(self._space), min(8 * self.size, _MOST_SOBOL_POINTS), seed):
            yield self.at(point)
        stride = self.size * 618_034 // 1_000_000 + 1
        while math.gcd(stride, self.size) > 1:
            stride += 1
        for i in range(self.size):
            yield self[i * stride % self.size]

    def _n_under(self, p: AnyParameter) -> int:
        return sum(self._sizes[p.name, i] for i in range(len(self._levels[p.name])))

    def _fill(self, configuration: Configuration, parameters: list[AnyParameter], rank: int) -> None:
        for p in parameters:
            rank, own = divmod(rank, self._n_under(p))
            level = 0
            while own >= self._sizes[p.name, level]:
                own -= self._sizes[p.name, level]
                level += 1
            configuration[p.name] = self._levels[p.name][level]
            self._fill(configuration, self._children[p.name, level], own)


class Walk:
    """A way through a grid that goes on at the first configuration that is still wanted.

    What is not wanted once must not be wanted later: the way never goes back.
    """

    def __init__(self, grid: Grid, seed: Sequence[int] | None = None) -> None:
        self._steps = grid.walk(seed)
        self._here = next(self._steps, None)

    def first(self, is_wanted: Callable[[Configuration], bool]) -> Configuration | None:
        """The configuration where the way stands now; None at its end."""
        while self._here is not None and not is_wanted(self._here):
            self._here = next(self._steps, None)
        return self._here


def _sobol_points(n_parameters: int, n_points: int, seed: Sequence[int] | None) -> Iterator[list[float]]:
    """Points of the sequence; unscrambled after its first, which is a corner: the second is the middle."""
    if n_parameters:
        if seed is None:
            sequence = qmc.Sobol(n_parameters, scramble=False).fast_forward(1)
        else:
            sequence = qmc.Sobol(n_parameters, rng=np.random.default_rng(seed))
        for start in range(0, n_points, 64):
            yield from sequence.random(64)[: n_points - start].tolist()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
