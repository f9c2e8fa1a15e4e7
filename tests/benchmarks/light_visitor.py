"""Visitors without a browser: they speak Streamlit's own protocol over a websocket, so a class of them costs little.

As a browser does, a visitor sends each move once and comes back to fragments that renew themselves; it draws nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import random
import time
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX

_CARD = '<div class="lab-score-card"'
_ROW = "tuning_lab.parameter_row"
_PATIENCE_SECONDS = 30.0


async def milliseconds_of_a_class(url: str, query: str, slider: str, n_people: int, n_nudges: int) -> list[float]:
    """Milliseconds from each nudge to its first score, of people who all nudge the same slider once a second."""
    async with contextlib.AsyncExitStack() as stack:
        people = []
        for i in range(n_people):
            people.append(await stack.enter_async_context(Visitor(url, query, seed=i)))
            await people[-1].wait_for_score()
        taken = await asyncio.gather(*(_nudge_each_second(p, slider, n_nudges) for p in people))
    return [one for each in taken for one in each]


async def _nudge_each_second(person: Visitor, slider: str, n_nudges: int) -> list[float]:
    await asyncio.sleep(person.random.random())
    taken = []
    for _ in range(n_nudges):
        begin = time.perf_counter()
        try:
            await person.nudge(slider)
            taken.append(1000 * (time.perf_counter() - begin))
        except TimeoutError:
            taken.append(math.inf)  # a nudge without an answer counts as the slowest of all
        await asyncio.sleep(max(0.0, 1.0 - (time.perf_counter() - begin)))
    return taken


class Visitor:
    """One person on the Tune page."""

    def __init__(self, url: str, query: str, seed: int) -> None:
        self.random = random.Random(seed)
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._query = query
        self._rows: dict[str, Any] = {}
        self._fragments: dict[str, str] = {}
        self._move_ids = itertools.count()
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._card, self._is_moving = "", False
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Visitor:
        self._socket = await websockets.connect(self._url, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        self._listener = asyncio.create_task(self._listen())
        await self._ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in [self._listener, *self._renewals.values()]:
            task.cancel()
        await self._socket.close()

    async def nudge(self, parameter: str) -> None:
        """Sets a slider anywhere and waits for the first score of the new place."""
        row = next(row for key, row in self._rows.items() if key.endswith(f"-parameter-{parameter}"))
        view = json.loads(json.loads(row.json))
        place = self.random.choice([i for i, text in enumerate(view["places"]) if text != view["value"]])
        move = {"place": place, "turn": view["turn"], "id": str(next(self._move_ids))}
        self._card, self._is_moving = "", True
        await self._ask(self._fragments[row.id], trigger=(row.id, move))
        await self.wait_for_score()

    async def wait_for_score(self) -> None:
        try:
            async with self._news, asyncio.timeout(_PATIENCE_SECONDS):
                await self._news.wait_for(lambda: "lab-value" in self._card)
        except TimeoutError:
            if self._listener.done():
                self._listener.result()  # raises what ended it
            raise

    async def _ask(
        self, fragment: str = "", *, is_renewal: bool = False, trigger: tuple[str, dict[str, Any]] | None = None
    ) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = is_renewal
        if trigger:
            component, move = trigger
            for row in self._rows:  # a browser sends the state of every widget along, here that of rows: none
                state = message.rerun_script.widget_states.widgets.add()
                state.id, state.json_value = row, "{}"
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{component}__events"
            widget.json_trigger_value = json.dumps([{"event": "move", "value": move}])
        await self._socket.send(message.SerializeToString())

    async def _listen(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for raw in self._socket:
                message = ForwardMsg()
                message.ParseFromString(raw)
                await self._take(message)

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            # The address holds the new configuration, so scores from here on are of it.
            self._query, self._is_moving = message.page_info_changed.query_string, False
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop_renewing(*self._renewals)
        elif kind == "auto_rerun":
            self._renew(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_renewing(*message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            await self._take_element(message.delta.new_element, message.delta.fragment_id)

    async def _take_element(self, element: Any, fragment: str) -> None:
        if element.WhichOneof("type") == "bidi_component" and element.bidi_component.component_name == _ROW:
            row = element.bidi_component
            self._rows[row.id], self._fragments[row.id] = row, fragment
        elif element.WhichOneof("type") == "html" and _CARD in element.html.body and not self._is_moving:
            async with self._news:
                self._card = element.html.body
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
