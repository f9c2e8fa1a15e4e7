"""Lesson 1: the landscape, the hiker, and the drones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hpo_core.lessons import (
    Action,
    Ask,
    Board,
    Check,
    Fact,
    Film,
    Lesson,
    LessonState,
    Pick,
    Scene,
    Told,
    Workshop,
    growing,
)
from hpo_core.lessons._flights import Drone, Flight, ends_table, fly, looks_table, ranked
from hpo_core.lessons._maps import land_traces, limits_of, looks_trace, map_figure, path_trace, regret_figure
from hpo_core.lessons._moves import from_word, to_word
from hpo_core.lessons._response import Response
from hpo_core.lessons._terrain import Floats, Terrain, analytic, terrain_from, terrain_of
from hpo_core.options import option
from hpo_core.plots import LIVE, Figure

YOU = "You"
_SAY = {
    "walk": "You stand in fog on land that you have never seen. Click anywhere on the map, or focus it and use the "
    "arrow keys, to look at the altitude there. Find the highest place with {left} left.",
    "walked": "Your steps are used up. Say who you think will get highest, and send the drones.",
    "flying": "The drones have the same {n} steps and see as little as you. Play the flight, or go through it step by "
    "step: watch where each drone looks next, and why. Then lift the fog.",
    "revealed": "This is the land as it is. Stars are summits. Compare where everyone looked, then try another terrain "
    "or another seed.",
    "board_you": "Your map",
    "note_walk": "The stronger the colour, the higher. The ring is the highest place so far.",
    "note_maps": "The stronger the colour, the higher.",
    "pick": "Map in fog. Arrow keys take a step of a twentieth of the range, with Shift a fifth of that; each step "
    "costs one look. A click jumps there.",
    "regret_title": "How far below the summit is each one's best place?",
    "regret_note": "Lower is better; a line falls when a better place is found. Each mark on the left is ten times the "
    "one below. What is nearer than 0.1 m is drawn at 0.1 m.",
    "regret_axis": "metres below the summit, log",
    "wait_surface": "The lab fits the model all over the map, once for all visitors: {progress}.",
    "wait_drones": "The drones are under way: {progress}.",
    "said_step": "Step {i} of {n}. Highest so far: {names}, {altitude:,.0f} m.",
    "said_start": "Nobody has looked yet.",
    "winner": "{name} got highest: {regret} below the summit after {n} steps.",
    "within": "Fewest steps to within 50 m of the summit, for good: {name}, at step {step}.",
    "nobody_within": "Nobody got within 50 m of the summit.",
    "you": "You ended {regret} below the summit, {rank} of {count}{short}.",
    "short": ", with {used} of {n} steps",
    "guess_right": "You predicted {name}, and so it was.",
    "guess_wrong": "You predicted {name}: {regret} below the summit, {rank} of {count}.",
    "luck": "The noise misleads: {name} takes its best place for {seen:,.0f} m, and it is {true:,.0f} m high.",
    "once": "One flight proves little: some drones use chance. Another seed may rank them otherwise.",
    "land": "{label}: {purpose}",
    "top": "The summit is {altitude:,.0f} m high, at {place}{others}.",
    "source": "The land: {source}.",
    "check_todo": "Not yet: the gradient drone ended {regret} below the summit here. Try another terrain.",
    "check_fly": "Choose a terrain, send the drones, and see where the gradient drone ends.",
    "check_noise": "It got there, but through noise; set the noise to none and try again.",
    "check_done": "Right: on {label} it ended {regret} below the summit. The land there rises smoothly from where it "
    "set out, so the slope leads up. Where there are many false summits, it ends on the nearest.",
    "ask": "Who will get highest?",
}
# What is hard about a landscape, the right way up for a hiker; others say it as landscapes do, where low is good.
_UPHILL = {
    "Ackley": "a wide rippled plain with one steep peak: little to learn far away, everything near the top.",
    "Branin": "a bent ridge with three equally high summits: easy to climb, and there is more than one right answer.",
    "Himmelblau": "four equally high, smooth summits: where a walk ends depends on where it began.",
    "One important parameter": "one parameter decides and the other hardly matters: a grid wastes most of its looks.",
    "Rastrigin": "a hill full of false summits: dozens of them hold whoever trusts the slope.",
    "Rosenbrock": "a long, bent, almost flat ridge: finding it is easy, following it is hard.",
}
_AS_TEST_FUNCTION = "as a test function, where low is good: {purpose}"
# Small choices for the first steps, as the defaults of the methods are for longer searches.
DRONES = (
    Drone(
        "Grid",
        "sklearn_grid",
        "Scans square by square, whatever it sees.",
        lambda n: {"resolution": max(2, math.isqrt(n))},
    ),
    Drone("Random", "random", "Drops its probes by chance.", lambda n: {}),
    Drone(
        "Bayesian",
        "gaussian_process",
        "Draws its own map with what it believes and doubts, and looks where that promises most.",
        lambda n: {"n_initial": 5},
    ),
    Drone(
        "Evolution",
        "genetic",
        "Sends families: children of the best, a little changed.",
        lambda n: {"population": 6 if n < 40 else 10},
    ),
    Drone("Gradient", "gradient", "Feels the slope around it, and walks uphill.", lambda n: {}, has_path=True),
)
_RESPONSES = {r.label: r for r in (Response("wine", "svm", ("C", "gamma")), Response("moons", "svm", ("C", "gamma")))}
_NOISE = {"none": 0.0, "some": 0.1, "much": 0.4}
_FLY = "fly"
_NEAR, _CLOSE = 50.0, 25.0
_FLOOR = 0.1


@dataclass(frozen=True)
class TheLandscape(Lesson):
    """A hiker in fog, and five drones over the same land."""

    key: ClassVar[str] = "landscape"
    label: ClassVar[str] = "The landscape"
    place: ClassVar[int] = 10
    purpose: ClassVar[str] = "See tuning as a search for the highest place in fog, and what each way of searching does."
    to_do: ClassVar[str] = "Walk in the fog with few steps, then send five drones over the same land and lift the fog."
    to_predict: ClassVar[str] = "Who gets highest: you, or which drone?"
    check_question: ClassVar[str] = (
        "On which terrain does walking uphill work? Find one, without noise, where the gradient drone ends within 25 m "
        "of the summit."
    )
    source: ClassVar[str] = (
        "Hyperparameter tuning as the search of an unknown response surface: Bergstra and Bengio (2012), Random Search "
        "for Hyper-Parameter Optimization; Jones, Schonlau and Welch (1998), Efficient Global Optimization"
    )

    terrain: str = option(
        "Branin",
        "Terrain",
        "The land: test functions whose summit is known, and real ones, which are the scores of a model.",
        choices=(*analytic(), *_RESPONSES),
    )
    steps: str = option("25", "Steps", "How many places each may look at.", choices=("16", "25", "49", "100"))
    noise: str = option(
        "none", "Noise", "How much a look is off by chance, as a score on other folds would be.", choices=tuple(_NOISE)
    )

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        terrain = self._terrain(state, workshop)
        if terrain is None:
            return Scene(
                "", waits_for=_SAY["wait_surface"].format(progress=workshop.progress(self.terrain) or "it begins")
            )
        hiker = self._hiker(state, terrain)
        drones = self._drones(state, terrain, workshop)  # begun with the first step, so that nobody waits for them
        if _FLY not in state.moves:
            return self._walking(state, hiker)
        if drones is None:
            said = workshop.progress(self._flight_key(state)) or "they start"
            return Scene("", waits_for=_SAY["wait_drones"].format(progress=said))
        return self._flown(state, hiker, drones)

    def picked(self, state: LessonState, x: float, y: float) -> LessonState:
        if _FLY in state.moves or len(_places(state)) + 1 >= self.n_steps:
            return state
        return replace(state, moves=(*state.moves, to_word(x) + to_word(y)))

    def acted(self, state: LessonState, action: str) -> LessonState:
        if action == _FLY and _FLY not in state.moves:
            return replace(state, moves=(*state.moves, _FLY), step=0)
        return super().acted(state, action)

    @property
    def n_steps(self) -> int:
        """Looks that each explorer has."""
        return int(self.steps)

    def _terrain(self, state: LessonState, workshop: Workshop) -> Terrain | None:
        noise, response = _NOISE[self.noise], _RESPONSES.get(self.terrain)
        if response is None:
            return terrain_of(analytic()[self.terrain].key, noise, state.seed)
        scores = workshop.get(self.terrain, lambda report: response.scores(workshop.executor, workshop.folder, report))
        return None if scores is None else terrain_from(response, scores, noise, state.seed)

    def _hiker(self, state: LessonState, terrain: Terrain) -> Flight:
        camp = terrain.space.to_unit([terrain.space.default()])
        return Flight(terrain, np.vstack([camp, *_places(state)])[: self.n_steps])

    def _flight_key(self, state: LessonState) -> tuple[object, ...]:
        return ("flights", self, state.seed)

    def _drones(self, state: LessonState, terrain: Terrain, workshop: Workshop) -> list[Flight] | None:
        if not state.moves:
            return None

        def make(report: Callable[[str], None]) -> list[Flight]:
            flights: list[Flight] = []
            for drone in DRONES:
                report(f"{len(flights)} of {len(DRONES)} are back")
                flights.append(fly(drone, terrain, self.n_steps, state.seed))
            return flights

        return workshop.get(self._flight_key(state), make, patience=0.12 if _FLY in state.moves else 0.0)

    def _walking(self, state: LessonState, hiker: Flight) -> Scene:
        left = self.n_steps - len(hiker)
        here, best = float(hiker.seen[-1]), float(hiker.seen[hiker.best[-1]])
        here_x, here_y = hiker.points[-1].tolist()
        facts = (
            Fact("Altitude here", f"{here:,.0f} m"),
            Fact("Best so far", f"{best:,.0f} m", "you"),
            Fact("Steps left", f"{left} of {self.n_steps}"),
        )
        board = Board(
            "you",
            _SAY["board_you"],
            _walk_figure(hiker),
            f"Map in fog with {len(hiker)} places looked at; the highest is {best:,.0f} m at "
            f"{hiker.terrain.place(*hiker.points[hiker.best[-1]])}.",
            note=_SAY["note_walk"],
            pick=None if left == 0 else Pick(_SAY["pick"], x=here_x, y=here_y, is_walk=True),
        )
        task = _SAY["walk"].format(left=f"{left} step{'s' * (left != 1)}") if left else _SAY["walked"]
        send = Action(_FLY, "Send the drones", is_main=left == 0, why_not="" if state.moves else "Take a step first.")
        return Scene(
            task,
            film=Film((board,)),
            facts=facts,
            ask=Ask(_SAY["ask"], (YOU, *(d.label for d in DRONES))),
            actions=(send, Action("again", "Start again")),
            numbers={"Your steps": looks_table([(YOU, hiker)], is_revealed=False)},
            check=Check(answer=_SAY["check_fly"]),
        )

    def _flown(self, state: LessonState, hiker: Flight, drones: list[Flight]) -> Scene:
        flights = [(YOU, hiker), *zip((d.label for d in DRONES), drones, strict=True)]
        n, is_revealed = self.n_steps, state.is_revealed
        reveal = Action("reveal", "Lift the fog", is_main=True)
        tables = {"All looks": looks_table(flights, is_revealed)}
        return Scene(
            _SAY["revealed"] if is_revealed else _SAY["flying"].format(n=n),
            film=Film(
                (*_maps(flights, n, is_revealed), _regret_board(flights, n)),
                n_steps=n,
                says=_step_sentences(flights, n),
                plays=not is_revealed,
            ),
            actions=(*(() if is_revealed else (reveal,)), Action("again", "Start again")),
            told=_findings(state, flights, n) if is_revealed else (),
            numbers={"Where everyone ended": ends_table(flights), **tables} if is_revealed else tables,
            check=self._checked(dict(ranked(flights))["Gradient"]),
        )

    def _checked(self, regret: float) -> Check:
        if regret > _CLOSE:
            return Check(answer=_SAY["check_todo"].format(regret=_metres(regret)))
        if self.noise != "none":
            return Check(answer=_SAY["check_noise"])
        return Check(True, _SAY["check_done"].format(label=self.terrain, regret=_metres(regret)))


def _places(state: LessonState) -> list[Floats]:
    """The points that the hiker chose; words that are none are passed over."""
    places = [from_word(word) for word in state.moves if word != _FLY]
    return [np.array([place]) for place in places if len(place) == 2]


def _metres(distance: float) -> str:
    return "less than 0.1 m" if distance < _FLOOR else f"{distance:,.1f} m" if distance < 10 else f"{distance:,.0f} m"


def _walk_figure(hiker: Flight) -> Figure:
    best = hiker.points[hiker.best[-1]]
    ring = {"symbol": "circle-open", "size": 22, "color": LIVE.you, "line": {"width": 2.4}}
    here = {"symbol": "star", "size": 12, "color": LIVE.you, "line": {"width": 1.2, "color": LIVE.surface}}
    marks = [
        {"type": "scatter", "mode": "markers", "x": [x], "y": [y], "marker": marker, "hoverinfo": "skip"}
        for (x, y), marker in ((best.tolist(), ring), (hiker.points[-1].tolist(), here))
    ]
    looks = looks_trace(hiker, LIVE.you, limits_of(hiker.seen), is_revealed=False)
    return map_figure(hiker.terrain, [path_trace(hiker, LIVE.you), looks, *marks], "walk")


def _colours() -> tuple[str, ...]:
    return (LIVE.you, *LIVE.arms[: len(DRONES)])


def _maps(flights: list[tuple[str, Flight]], n: int, is_revealed: bool) -> list[Board]:
    terrain = flights[0][1].terrain
    seen = np.concatenate([flight.seen for _, flight in flights])
    limits = limits_of(terrain.altitudes.ravel(), terrain.summit) if is_revealed else limits_of(seen)
    ways = ("", *(d.way for d in DRONES))
    has_path = (True, *(d.has_path for d in DRONES))
    boards = []
    for (name, flight), colour, way, is_path in zip(flights, _colours(), ways, has_path, strict=True):
        until = [min(i, len(flight)) for i in range(n + 1)]
        traces = land_traces(terrain, limits) if is_revealed else []
        if is_path:
            traces.append(growing(path_trace(flight, colour), until))
        traces.append(growing(looks_trace(flight, colour, limits, is_revealed), until))
        best = float(flight.seen.max())
        boards.append(
            Board(
                name.lower(),
                name,
                map_figure(terrain, traces, "flight"),
                f"{name}: {len(flight)} looks, the highest {best:,.0f} m at "
                f"{terrain.place(*flight.points[flight.best[-1]])}.",
                note=way,
                says=_map_sentences(flight, until),
            )
        )
    return boards


def _map_sentences(flight: Flight, until: list[int]) -> tuple[str, ...]:
    best = flight.seen[flight.best]
    return tuple("–" if k == 0 else f"look {k}: {flight.seen[k - 1]:,.0f} m, best {best[k - 1]:,.0f} m" for k in until)


def _regret_board(flights: list[tuple[str, Flight]], n: int) -> Board:
    name, regret = ranked(flights)[0]
    alt = f"After {n} steps {name} is nearest to the summit, {_metres(regret)} below it."
    figure = regret_figure(flights, _colours(), n, _SAY["regret_axis"], _FLOOR)
    return Board("regret", _SAY["regret_title"], figure, alt, note=_SAY["regret_note"], height=420, span="side")


def _step_sentences(flights: list[tuple[str, Flight]], n: int) -> tuple[str, ...]:
    sentences = [_SAY["said_start"]]
    for i in range(1, n + 1):
        heights = {name: float(flight.seen[flight.best[min(i, len(flight)) - 1]]) for name, flight in flights}
        top = max(heights.values())
        names = " and ".join(name for name, height in heights.items() if height >= top - _FLOOR)
        sentences.append(_SAY["said_step"].format(i=i, n=n, names=names, altitude=top))
    return tuple(sentences)


def _findings(state: LessonState, flights: list[tuple[str, Flight]], n: int) -> tuple[Told, ...]:
    ranks, terrain, hiker = ranked(flights), flights[0][1].terrain, flights[0][1]
    place = {name: i + 1 for i, (name, _) in enumerate(ranks)}
    regret, count = dict(ranks), len(ranks)
    winner = ranks[0][0]
    found = [Told(_SAY["winner"].format(name=winner, regret=_metres(ranks[0][1]), n=n), "up")]
    short = _SAY["short"].format(used=len(hiker), n=n) if len(hiker) < n else ""
    you = {"regret": _metres(regret[YOU]), "rank": _ordinal(place[YOU]), "count": count, "short": short}
    found.append(Told(_SAY["you"].format(**you), "you"))
    if state.guess == winner:
        found.append(Told(_SAY["guess_right"].format(name=winner), "up"))
    elif state.guess in regret:
        name = state.guess
        guessed = {"name": name, "regret": _metres(regret[name]), "rank": _ordinal(place[name]), "count": count}
        found.append(Told(_SAY["guess_wrong"].format(**guessed)))
    found.append(Told(_first_near(flights)))
    if terrain.noise:
        found.append(Told(_luck(flights)))
    others = "" if len(terrain.tops) == 1 else f", and at {len(terrain.tops) - 1} more"
    top = {"altitude": terrain.summit, "place": terrain.place(*terrain.tops[0]), "others": others}
    found.append(Told(_SAY["land"].format(label=terrain.label, purpose=_hardness(terrain))))
    found.append(Told(_SAY["top"].format(**top)))
    found.append(Told(_SAY["once"]))
    return (*found, Told(_SAY["source"].format(source=terrain.source)))


def _hardness(terrain: Terrain) -> str:
    if terrain.label in _RESPONSES:
        return terrain.purpose
    return _UPHILL.get(terrain.label) or _AS_TEST_FUNCTION.format(purpose=terrain.purpose)


def _first_near(flights: list[tuple[str, Flight]]) -> str:
    steps = {name: step for name, flight in flights if (step := flight.reached(_NEAR)) is not None}
    if not steps:
        return _SAY["nobody_within"]
    first = min(steps.values())
    names = " and ".join(name for name, step in steps.items() if step == first)
    return _SAY["within"].format(name=names, step=first)


def _luck(flights: list[tuple[str, Flight]]) -> str:
    """The explorer whose best place is least as high as it looked."""

    def gap(entry: tuple[str, Flight]) -> float:
        flight, at = entry[1], entry[1].best[-1]
        return float(flight.seen[at] - flight.true[at])

    name, flight = max(flights, key=gap)
    at = flight.best[-1]
    return _SAY["luck"].format(name=name, seen=float(flight.seen[at]), true=float(flight.true[at]))


def _ordinal(n: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(n, f"{n}th")


LANDSCAPE = TheLandscape()
