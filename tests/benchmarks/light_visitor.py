"""Visitors without a browser: they speak the protocols of the page over sockets, so a class of them costs little.

As the page's scripts do, a visitor posts its moves and reads the scores beside the page, has the page drawn once its
hand rests, asks for news, and comes back to fragments that renew themselves; it draws nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX

_CARD, _ROW = "tuning_lab.score_card", "tuning_lab.parameter_row"
_RECORDED = re.compile(r'<span class="lab-badge">trial (\d+)</span>')
_NEWS_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0


async def milliseconds_of_a_class(url: str, query: str, slider: str, n_people: int, n_nudges: int) -> list[float]:
    """Milliseconds from each nudge to its first score, of people who all nudge the same slider once a second."""
    async with contextlib.AsyncExitStack() as stack:
        people = []
        for i in range(n_people):
            people.append(await stack.enter_async_context(Visitor(url, query, seed=i)))
            await people[-1].begin(slider)
        taken = await asyncio.gather(*(_nudge_every(1.0, p, slider, n_nudges) for p in people))
    return [one for each in taken for one in each]


async def milliseconds_in_a_classroom(
    url: str, teacher: str, seats: Sequence[str], slider: str, n_nudges: int
) -> tuple[list[float], list[set[int]], int]:
    """The same for the people of a class that plays, who nudge every two seconds, with the teacher's board open.

    Returns:
        The milliseconds; of each person the trials that they were told are recorded; and how many nudges there were.
    """
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(Visitor(url, teacher, seed=-1, page="class"))
        people = [await stack.enter_async_context(Visitor(url, q, seed=i, page="class")) for i, q in enumerate(seats)]
        for person in people:
            await person.see(slider)
        taken = await asyncio.gather(*(_nudge_every(2.0, p, slider, n_nudges) for p in people))
        await asyncio.sleep(_NEWS_SECONDS)  # the last ones are recorded
    n_nudges = sum(person.n_nudges for person in people)
    return [one for each in taken for one in each], [person.told for person in people], n_nudges


async def _nudge_every(seconds: float, person: Visitor, slider: str, n_nudges: int) -> list[float]:
    await asyncio.sleep(seconds * person.random.random())
    taken = []
    for _ in range(n_nudges):
        begin = time.perf_counter()
        try:
            await person.nudge(slider)
            taken.append(1000 * (time.perf_counter() - begin))
        except TimeoutError:
            taken.append(math.inf)  # a nudge without an answer counts as the slowest of all
        await asyncio.sleep(max(0.0, seconds - (time.perf_counter() - begin)))
    return taken


@dataclass(frozen=True)
class _Component:
    """A component on the page, what it shows, and the fragment that it is in."""

    id: str
    json: str
    fragment: str

    @property
    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = json.loads(json.loads(self.json))
        return view


class Visitor:
    """One person on the Tune page, or on another page with sliders.

    Attributes:
        n_nudges: How often a slider was moved.
        told: Numbers of the trials that the person was told are recorded; a nudge that the next one overtakes has none.
    """

    def __init__(self, url: str, query: str, seed: int, page: str = "") -> None:
        self.random = random.Random(seed)
        self.n_nudges = 0
        self.told: set[int] = set()
        self._page = page
        self._address = url.removeprefix("http://")
        self._query = query
        self._rows: dict[str, _Component] = {}
        self._card: _Component | None = None
        self._ids = itertools.count()
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Visitor:
        address = f"ws://{self._address}/_stcore/stream"
        self._socket = await websockets.connect(address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        self._lasting = [asyncio.create_task(self._listen()), asyncio.create_task(self._ask_for_news())]
        await self._ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in [*self._lasting, *self._renewals.values(), self._following]:
            if task:
                task.cancel()
        await self._socket.close()

    async def begin(self, parameter: str) -> None:
        """The first nudge, which makes the study and so goes by way of the page."""
        await self._wait_until(lambda: self._card is not None)
        row, move = self._somewhere(parameter)
        await self._ask(trigger=(row, "move", move))
        await self._wait_until(lambda: self._card.view["takesMoves"])
        await self._follow("GET", {}, asyncio.Event())

    async def see(self, parameter: str) -> None:
        """Waits until there is a score, and the slider, of somebody who has a study already."""
        ending = f"-parameter-{parameter}"
        await self._wait_until(lambda: self._card is not None and any(key.endswith(ending) for key in self._rows))

    async def nudge(self, parameter: str) -> None:
        """Sets a slider anywhere and waits for the first score of the new place."""
        if self._following:
            self._following.cancel()
        _, move = self._somewhere(parameter)
        self.n_nudges += 1
        scored = asyncio.Event()
        self._following = asyncio.create_task(self._follow("POST", {**move, "parameter": parameter}, scored))
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await scored.wait()

    def _somewhere(self, parameter: str) -> tuple[_Component, dict[str, Any]]:
        """The row of a parameter, and a move in it to any other place."""
        row = next(row for key, row in self._rows.items() if key.endswith(f"-parameter-{parameter}"))
        view = row.view
        place = self.random.choice([i for i, text in enumerate(view["places"]) if text != view["value"]])
        return row, {"place": place, "turn": view["turn"], "id": str(next(self._ids))}

    # Beside the page

    async def _follow(self, method: str, body: dict[str, Any], scored: asyncio.Event) -> None:
        """Reads the scores of a nudge to the last, and has the page drawn once the hand has rested after it."""
        rest_ms = 0
        async for event in self._events(method, "", body):
            if "card" in event:
                rest_ms = event["restMs"]
                html = event["card"]["html"]
                if "lab-value" in html:
                    scored.set()
                self.told |= {int(number) for number in _RECORDED.findall(html)}
        await asyncio.sleep(rest_ms / 1000)
        await self._tell()

    async def _events(self, method: str, path: str, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        async for line in self._lines(method, path, json.dumps(body) if body else ""):
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

    async def _lines(self, method: str, path: str, body: str) -> AsyncIterator[str]:
        """The lines of an answer, its head included."""
        reader, writer = await asyncio.open_connection(*self._address.split(":"))
        head = f"{method} /lab/hand/{self._card.view['who']}{path} HTTP/1.0\r\nHost: {self._address}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        try:
            async for line in reader:
                yield line.decode()
        finally:
            writer.close()

    async def _ask_for_news(self) -> None:
        while True:
            await asyncio.sleep(_NEWS_SECONDS)
            if self._card is not None:
                answer = [line async for line in self._lines("GET", "/news", "")]
                if json.loads(answer[-1])["isNews"]:
                    await self._tell()

    # By way of the page

    async def _tell(self) -> None:
        await self._ask(trigger=(self._card, "rest", str(next(self._ids))))

    async def _ask(
        self, fragment: str = "", *, is_renewal: bool = False, trigger: tuple[_Component, str, Any] | None = None
    ) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = is_renewal
        if trigger:
            component, event, value = trigger
            message.rerun_script.fragment_id = component.fragment
            for row in self._rows:  # a browser sends the state of every widget along, here that of rows: none
                state = message.rerun_script.widget_states.widgets.add()
                state.id, state.json_value = row, "{}"
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{component.id}__events"
            widget.json_trigger_value = json.dumps([{"event": event, "value": value}])
        await self._socket.send(message.SerializeToString())

    async def _wait_until(self, is_true: Callable[[], bool]) -> None:
        async with self._news, asyncio.timeout(_PATIENCE_SECONDS):
            await self._news.wait_for(is_true)

    async def _listen(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for raw in self._socket:
                message = ForwardMsg()
                message.ParseFromString(raw)
                await self._take(message)

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop_renewing(*self._renewals)
        elif kind == "auto_rerun":
            self._renew(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_renewing(*message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            await self._take_element(message.delta.new_element, message.delta.fragment_id)

    async def _take_element(self, element: Any, fragment: str) -> None:
        if element.WhichOneof("type") != "bidi_component":
            return
        component = _Component(element.bidi_component.id, element.bidi_component.json, fragment)
        if element.bidi_component.component_name == _ROW:
            async with self._news:
                self._rows[component.id] = component
                self._news.notify_all()
        elif element.bidi_component.component_name == _CARD:
            async with self._news:
                self._card = component
                self._news.notify_all()

    def _renew(self, fragment: str, seconds: float) -> None:
        async def work() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._ask(fragment, is_renewal=True)

        self._stop_renewing(fragment)
        self._renewals[fragment] = asyncio.create_task(work())

    def _stop_renewing(self, *fragments: str) -> None:
        for fragment in [f for f in fragments if f in self._renewals]:
            self._renewals.pop(fragment).cancel()
