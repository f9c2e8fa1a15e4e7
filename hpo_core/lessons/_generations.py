"""Generations of an evolutionary method on a terrain: who was there, who came from whom, and who goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.lessons._asking import AskedTrial, asked_trials
from hpo_core.lessons._terrain import Floats, Terrain
from hpo_core.methods import METHODS
from hpo_core.options import with_options

_ANGLES = np.linspace(0.0, 2 * np.pi, 73)


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One generation over the unit square. Altitudes are in metres, higher being better.

    Attributes:
        points: Of its members, shape (n, 2).
        altitudes: Shape (n,).
        goes_on: Which members the next generation is made from, shape (n,).
        links: From a parent to its child, shape (k, 2, 2): ends, then coordinates.
        cloud: Of CMA-ES the ellipse of two standard deviations that it was drawn from, shape (2, 73); else None.
    """

    points: Floats
    altitudes: Floats
    goes_on: NDArray[np.bool_]
    links: Floats
    cloud: Floats | None

    def __len__(self) -> int:
        return len(self.points)

    @property
    def centre(self) -> Floats:
        """The mean of its members, shape (2,)."""
        return np.asarray(self.points.mean(axis=0))

    @property
    def width(self) -> float:
        """Twice the standard deviation along the axis where it is wider, in widths of the range."""
        return float(2 * self.points.std(axis=0).max())


def bred(method: str, options: dict[str, Any], terrain: Terrain, n_generations: int, seed: int) -> list[Generation]:
    """The first population of a method and so many generations after it.

    Args:
        method: Its key; one that records generations.
        options: Of the method, with its population.
        terrain: What it searches.
        n_generations: How many follow the first.
        seed: Of everything random.
    """
    sampler = with_options(METHODS[method], options).sampler(terrain.space, seed)
    size = int(options.get("population") or options["particles"])
    trials = asked_trials(sampler, terrain.space, lambda c, _: terrain.look(c), size * (n_generations + 1))
    parts = [[t for t in trials if t.thought["generation"] == g] for g in range(n_generations + 1)]
    places = {str(t.thought["id"]): t.point for t in trials if "id" in t.thought}
    ways = [[(places[name], t.point) for t in part for name in _parents(t) if name in places] for part in parts]
    return [
        Generation(
            points=np.array([trial.point for trial in part]),
            altitudes=terrain.altitude(np.array([trial.value for trial in part])),
            goes_on=np.array(_goes_on(part, parts[:g], after)),
            links=np.reshape(way, (-1, 2, 2)),
            cloud=_outline(part[0]),
        )
        for g, (part, way, after) in enumerate(zip(parts, ways, [*parts[1:], []], strict=True))
    ]


def generations_table(generations: Sequence[Generation], terrain: Terrain) -> pd.DataFrame:
    """Every member of every generation."""
    parts = []
    for number, generation in enumerate(generations):
        part = pd.DataFrame([terrain.space.from_unit(p) for p in generation.points], columns=list(terrain.space.names))
        part.insert(0, "generation", number)
        parts.append(part.assign(**{"altitude, m": generation.altitudes, "goes on": generation.goes_on}))
    return pd.concat(parts, ignore_index=True)


def _parents(trial: AskedTrial) -> list[str]:
    """Names of those that a child stands for: where it competes for a place, the one that was there."""
    names = list(dict.fromkeys(trial.thought.get("parents", ())))
    return names[:1] if trial.thought.get("slot", -1) >= 0 else names


def _goes_on(part: list[AskedTrial], before: list[list[AskedTrial]], after: list[AskedTrial]) -> list[bool]:
    """Who takes a place from the one before it, who becomes a parent, or who is in the half that moves the cloud."""
    first = part[0].thought
    if first.get("slot", -1) >= 0:
        best: dict[int, float] = {}
        for trial in (trial for generation in before for trial in generation):
            slot = trial.thought["slot"]
            best[slot] = min(trial.value, best.get(slot, np.inf))
        return [trial.value <= best.get(trial.thought["slot"], np.inf) for trial in part]
    if "id" in first:
        wanted = {name for trial in after for name in trial.thought["parents"]}
        return [trial.thought["id"] in wanted for trial in part]
    order = np.argsort(np.argsort([trial.value for trial in part], kind="stable"))
    return [int(place) < len(part) // 2 for place in order]


def _outline(trial: AskedTrial) -> Floats | None:
    """The ellipse of a cloud that was recorded with a trial."""
    if "covariance" not in trial.thought:
        return None
    eigenvalues, axes = np.linalg.eigh(np.array(trial.thought["covariance"]))
    spread = axes * np.sqrt(np.maximum(eigenvalues, 0.0))
    circle = 2 * np.array([np.cos(_ANGLES), np.sin(_ANGLES)])
    return np.asarray(np.array(trial.thought["mean"])[:, None] + spread @ circle)
