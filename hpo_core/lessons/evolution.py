"""Lesson 4: inside evolution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from hpo_core.lessons import Action, Board, Check, Fact, Film, Lesson, LessonState, Pick, Scene, Told, Workshop
from hpo_core.lessons._generation_figures import altitudes_figure, generations_map
from hpo_core.lessons._generations import Generation, bred, generations_table
from hpo_core.lessons._moves import from_word, to_word
from hpo_core.lessons._terrain import Floats, Terrain, analytic, terrain_of
from hpo_core.options import option

_SAY = {
    "task": "The first generation has looked at {n} places; the stronger the colour, the higher. The cross is its "
    "centre. Where will the centre of the next generation be? Click there, or use the arrow keys and Enter.",
    "task_play": "Play the generations, or go through them one by one. Then change the settings: what makes it settle "
    "too early, and what keeps it from settling at all?",
    "wait": "The generations are being bred.",
    "map": "Where are they, and who goes on?",
    "map_note": "Wide edge: {chosen}. Thin rings: the generation before. Long line: the way of the centre. {lines}",
    "map_note_first": "Wide edge: {chosen}.",
    "chart": "Does each generation get better?",
    "chart_note": "Dots: members, those far below left out. Thin line: the median of each generation.",
    "pick": "Arrow keys move a cross; Enter predicts that the centre of the next generation will be there.",
    "reveal": "Lift the fog",
    "looks": "Looks",
    "best": "Best, below the summit",
    "width": "Last generation is wide",
    "said": "Generation {i}: best {best:,.0f} m, median {median:,.0f} m; {n_on} of {n} go on.",
    "said_last": "Generation {i}: best {best:,.0f} m, median {median:,.0f} m.",
    "near": "You predicted the next centre to within {distance:.0f} % of the range. It was at {place}.",
    "far": "The next centre was at {place}. Your prediction was {distance:.0f} % of the range away.",
    "trapped": "It sits in a trap: all are close together, {gap:,.0f} m below the summit, and nothing new comes up.",
    "arrived": "It has settled, {gap:,.1f} m below the summit.",
    "spread": "It has not settled: the last generation is still {width:.0f} % of the range wide.",
    "check_predict": "Predict first, then change the settings.",
    "check_todo": "Here the last generation is {width:.0f} % of the range wide, and the best of all is {gap:,.0f} m "
    "below the summit. Try smaller changes, fewer members, or land with many summits.",
    "check_done": "Right: once all members are alike, their children are alike too. More members or larger changes "
    "search longer, and cost more looks.",
}


@dataclass(frozen=True, slots=True)
class Breed:
    """A method that works in generations, as this lesson shows it.

    Attributes:
        method: Its key.
        options: For a number of members and a strength of change.
        strengths: What the change is, and how large: small, medium, large.
        chosen: Who goes on.
        lines: What the lines or the ellipse show.
        why: Where the next generation comes from.
    """

    method: str
    options: Callable[[int, float], dict[str, Any]]
    strengths: tuple[float, float, float]
    chosen: str
    lines: str
    why: str


_BREEDS = {
    "Genetic algorithm": Breed(
        "genetic",
        lambda n, strength: {"population": n, "mutation_width": strength},
        (0.02, 0.1, 0.3),
        "becomes a parent",
        "Short lines lead from parents to children.",
        "A parent is the best of three drawn at random. Children mix two parents and are changed a little, so that "
        "the centre moves towards the higher members.",
    ),
    "Differential evolution": Breed(
        "differential_evolution",
        lambda n, strength: {"population": n, "scale": strength},
        (0.2, 0.6, 0.9),
        "is higher than its rival, and takes its place",
        "Short lines lead from the rival to its child.",
        "A child starts from the best member, plus F times the difference of two others; some of its parameters come "
        "from its rival. So children gather around the best, as wide as the members are apart.",
    ),
    "CMA-ES": Breed(
        "cma_es",
        lambda n, strength: {"population": n, "sigma": strength, "growth": 1},
        (0.08, 0.25, 0.5),
        "is in the better half, which moves the cloud",
        "The ellipse is two standard deviations of the cloud that they were drawn from.",
        "The centre of the cloud moves to the weighted mean of the better half, and the ellipse stretches along the "
        "way that was good. The members are drawn from it anew, so that their own centre is off a little by chance.",
    ),
    "Particle swarm": Breed(
        "particle_swarm",
        lambda n, strength: {"particles": n, "inertia": strength},
        (0.4, 0.73, 0.95),
        "is at the best place that it has seen",
        "Short lines are the ways that particles flew.",
        "Nobody dies: each particle keeps a part of its velocity, and is pulled to its own best place and to the best "
        "of all.",
    ),
}
_STRENGTHS = ("small", "medium", "large")
_GENERATIONS = 12
_SEEN = "seen"
_NEAR = 0.1
_SETTLED = 0.1
_TRAPPED_METRES = 30.0


@dataclass(frozen=True)
class InsideEvolution(Lesson):
    """Generations on a map: parents, children, selection, and the trap."""

    key: ClassVar[str] = "evolution"
    label: ClassVar[str] = "Inside evolution"
    place: ClassVar[int] = 40
    purpose: ClassVar[str] = "Say how a generation follows from the one before, and why a population can settle early."
    to_do: ClassVar[str] = "Follow four methods through twelve generations, and change how many there are and how much."
    to_predict: ClassVar[str] = "Where will the centre of the next generation be?"
    check_question: ClassVar[str] = (
        "What drives a population into a trap? Change the settings until the last generation sits within a tenth of "
        "the range, and the best place is more than 30 m below the summit."
    )
    source: ClassVar[str] = (
        "Eshelman and Schaffer (1993), Real-Coded Genetic Algorithms and Interval-Schemata; Storn and Price (1997), "
        "Differential Evolution; Hansen and Ostermeier (2001), Completely Derandomized Self-Adaptation in Evolution "
        "Strategies; Kennedy and Eberhart (1995), Particle Swarm Optimization"
    )
    methods: ClassVar[tuple[str, ...]] = ("genetic", "differential_evolution", "cma_es", "particle_swarm")

    method: str = option("Genetic algorithm", "Method", "How the next generation is made.", choices=tuple(_BREEDS))
    population: int = option(14, "Members", "How many there are in each generation.", low=4, high=30)
    strength: str = option(
        "medium",
        "Change",
        "How far children may differ: the width of a mutation, F of differential evolution, the first width of the "
        "cloud, the inertia of the swarm.",
        choices=_STRENGTHS,
    )
    terrain: str = option("Himmelblau", "Terrain", "The land.", choices=tuple(analytic()))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        terrain = terrain_of(analytic()[self.terrain].key, 0.0, state.seed)
        generations = workshop.get(("bred", self, state.seed), lambda _report: self._bred(terrain, state.seed))
        if generations is None:
            return Scene("", waits_for=_SAY["wait"])
        if not _is_played(state):
            return self._first(terrain, generations[0])
        return self._played(state, terrain, generations)

    def picked(self, state: LessonState, x: float, y: float) -> LessonState:
        if _is_played(state):
            return state
        return replace(state, moves=(*state.moves, to_word(x) + to_word(y)), step=0)

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        """A prediction is made once; what was revealed stays so, as the settings are for finding out."""
        return replace(state, moves=(_SEEN,), step=0) if _is_played(state) else LessonState(seed=state.seed)

    @property
    def breed(self) -> Breed:
        return _BREEDS[self.method]

    def _bred(self, terrain: Terrain, seed: int) -> list[Generation]:
        strength = self.breed.strengths[_STRENGTHS.index(self.strength)]
        return bred(self.breed.method, self.breed.options(self.population, strength), terrain, _GENERATIONS, seed)

    def _first(self, terrain: Terrain, generation: Generation) -> Scene:
        board = Board(
            "map",
            _SAY["map"],
            generations_map(terrain, [generation], None, is_revealed=False),
            f"The first generation: {len(generation)} members around {terrain.place(*generation.centre)}.",
            note=_SAY["map_note_first"].format(chosen=self.breed.chosen),
            pick=Pick(_SAY["pick"]),
        )
        return Scene(
            _SAY["task"].format(n=len(generation)),
            Film((board,)),
            numbers={"Members": generations_table([generation], terrain)},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _played(self, state: LessonState, terrain: Terrain, generations: list[Generation]) -> Scene:
        gap, width = _gap(terrain, generations), 100 * generations[-1].width
        facts = (
            Fact(_SAY["looks"], str(sum(map(len, generations)))),
            Fact(_SAY["best"], f"{gap:,.1f} m", "machine"),
            Fact(_SAY["width"], f"{width:.0f} % of the range"),
        )
        reveal = () if state.is_revealed else (Action("reveal", _SAY["reveal"], is_main=True),)
        return Scene(
            _SAY["task_play"],
            Film(
                self._boards(state, terrain, generations),
                n_steps=len(generations) - 1,
                says=_says(generations),
                noun="generation",
                plays=True,
            ),
            facts=facts,
            actions=(*reveal, Action("again", "Start again")),
            told=self._told(state, terrain, generations),
            numbers={"Members": generations_table(generations, terrain)},
            check=_checked(gap, width),
        )

    def _boards(self, state: LessonState, terrain: Terrain, generations: list[Generation]) -> tuple[Board, ...]:
        places = _places(state)
        figure = generations_map(terrain, generations, places[0] if places else None, state.is_revealed)
        last = terrain.place(*generations[-1].centre)
        alt = f"{len(generations)} generations; the centre went from {terrain.place(*generations[0].centre)} to {last}."
        note = _SAY["map_note"].format(chosen=self.breed.chosen, lines=self.breed.lines)
        chart = altitudes_figure(generations)
        medians = [float(np.median(g.altitudes)) for g in (generations[0], generations[-1])]
        said = f"The median altitude went from {medians[0]:,.0f} m to {medians[1]:,.0f} m."
        return (
            Board("map", _SAY["map"], figure, alt, note=note),
            Board("chart", _SAY["chart"], chart, said, note=_SAY["chart_note"], height=420, span="side"),
        )

    def _told(self, state: LessonState, terrain: Terrain, generations: list[Generation]) -> tuple[Told, ...]:
        told = []
        for place in _places(state)[:1]:
            distance = float(np.abs(place - generations[1].centre).max())
            said = {"distance": 100 * distance, "place": terrain.place(*generations[1].centre)}
            is_near = distance <= _NEAR
            told.append(Told(_SAY["near" if is_near else "far"].format(**said), "up" if is_near else ""))
        told.append(Told(self.breed.why))
        gap, width = _gap(terrain, generations), generations[-1].width
        is_far = gap > _TRAPPED_METRES
        kind = "spread" if width >= _SETTLED else "trapped" if is_far else "arrived"
        return (*told, Told(_SAY[kind].format(gap=gap, width=100 * width), "down" if kind == "trapped" else ""))


def _is_played(state: LessonState) -> bool:
    return _SEEN in state.moves or bool(_places(state))


def _places(state: LessonState) -> list[Floats]:
    """The prediction comes first, where there is one; words that are none are passed over."""
    places = [from_word(word) for word in state.moves if word != _SEEN]
    return [np.array(place) for place in places if len(place) == 2]


def _gap(terrain: Terrain, generations: list[Generation]) -> float:
    """Metres from the best place of all to the summit."""
    return max(0.0, terrain.summit - max(float(g.altitudes.max()) for g in generations))


def _says(generations: list[Generation]) -> tuple[str, ...]:
    sentences = []
    for i, generation in enumerate(generations):
        said = {"i": i, "n": len(generation), "n_on": int(generation.goes_on.sum())}
        heights = {"best": generation.altitudes.max(), "median": np.median(generation.altitudes)}
        sentences.append(_SAY["said_last" if i + 1 == len(generations) else "said"].format(**said, **heights))
    return tuple(sentences)


def _checked(gap: float, width: float) -> Check:
    is_done = width < 100 * _SETTLED and gap > _TRAPPED_METRES
    return Check(is_done, _SAY["check_done" if is_done else "check_todo"].format(gap=gap, width=width))


EVOLUTION = InsideEvolution()
