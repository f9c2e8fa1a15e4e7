"""Isolation: how good it can still get when one parameter is fixed and all others are free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core import gaussian_process
from hpo_core.analysis.places import Places
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.surrogate import Surrogate
from hpo_core.analysis.units import unit_column
from hpo_core.space import Categorical
from hpo_core.studies.table import Floats, TrialTable

_DRAWN, _LEARNED = 256, 128
_KEPT, _STEPS = 3, 24
_WIDTHS = (0.2, 0.1, 0.05, 0.02)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The best that a surrogate expects at each place of one parameter.

    Attributes:
        points: The configurations that it expects to be best there, shape (places, d).
        mean, sd: What it expects of them, shape (places,): no lower bound and no upper one, but what a person who took
            that configuration would get.
        is_unknown: Where it knows little about them, shape (places,).
    """

    points: Floats
    mean: Floats
    sd: Floats
    is_unknown: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best trial near each place of one parameter.

    Attributes:
        places: Those that have a trial, as positions in `centres`.
        rows: The best trial of each.
        counts: Trials of each: the more there are, the better the best of them is by luck alone.
    """

    places: Rows
    rows: Rows
    counts: Rows


def best_found(table: TrialTable, name: str, centres: Floats) -> Found:
    """The best finished trial of each stretch of a parameter's range, from real values alone.

    Args:
        table: The study.
        name: The parameter.
        centres: Middles of the stretches in [0, 1], ascending; a trial belongs to the nearest.
    """
    usable = np.flatnonzero(table.is_learnable & ~np.isnan(table.params[name]))
    units = unit_column(table.distributions[name], table.params[name][usable])
    nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, units, side="right")
    order = np.lexsort((table.sign * table.values[usable], nearest))
    places, first, counts = np.unique(nearest[order], return_index=True, return_counts=True)
    return Found(places, usable[order[first]], counts)


def profile(surrogate: Surrogate, name: str, at: Floats, *, seed: int = 0) -> Profile:
    """The best expected value over all other parameters, at places of one that the surrogate `uses`.

    The others are sought among the trials, among points spread evenly, and then in smaller and smaller steps around the
    best of these and around what was found at the two places beside.
    """
    places, rng = Places(surrogate), np.random.default_rng(seed)
    learned = places.of_learned(name, seed)
    order = np.argsort(surrogate.table.sign * surrogate.values[places.users(name)], kind="stable")
    starts = np.vstack([learned[order[:_LEARNED]], places.drawn(_DRAWN, seed, using=name)])
    with gaussian_process.one_thread():
        chosen = _kept(places, name, at, np.repeat(starts[None], len(at), axis=0))
        for width in _WIDTHS:
            near = np.concatenate([chosen, *(_shifted(chosen[:, :1], step) for step in (-1, 1))], axis=1)
            moved = _moved(places, np.repeat(near, _STEPS, axis=1), width, rng)
            chosen = _kept(places, name, at, np.concatenate([near, moved], axis=1))
        points = np.vstack([places.along(chosen[i, :1], name, at[[i]])[0] for i in range(len(at))])
        mean, sd = surrogate.process.predict(points)
    return Profile(points, mean, sd, surrogate.process.is_ignorant(sd))


def _kept(places: Places, name: str, at: Floats, candidates: Floats) -> Floats:
    """The best few full points of each place that use the parameter, best first, out of shape (places, n, d)."""
    best = []
    for unit, full in zip(at, candidates, strict=True):
        legal = places.along(full, name, np.array([unit]))[0]
        signed = places.surrogate.table.sign * places.surrogate.process.expected(legal)
        signed[np.isnan(legal[:, places.column(name)])] = np.inf
        best.append(full[np.argsort(signed, kind="stable")[:_KEPT]])
    return np.array(best)


def _shifted(points: Floats, step: int) -> Floats:
    """What the place before (1) or after (-1) has, shape (places, n, d); the ends have their own."""
    return points[np.clip(np.arange(len(points)) - step, 0, len(points) - 1)]


def _moved(places: Places, points: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Full points with some coordinates moved: numbers by a normal step, categories anew."""
    is_category = np.array([isinstance(p, Categorical) for p in places.space.parameters], dtype=bool)
    d = points.shape[2]
    is_moved = rng.random(points.shape) < np.where(is_category, 0.5 / d, max(1.5 / d, 0.3))
    stepped = np.clip(points + width * rng.standard_normal(points.shape), 0.0, 1.0)
    anew = np.where(np.isnan(points), np.nan, rng.random(points.shape))
    return np.where(is_moved, np.where(is_category, anew, stepped), points)
