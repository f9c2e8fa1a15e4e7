"""The short way from a row to the score: moves and scores pass beside the script of the page.

A run of the page's script for each nudge would draw sliders and charts anew, and a class of people would wait for one
another. Here a move costs the fits and a few kilobytes; the page is drawn once the hand rests.

    POST   /lab/hand/WHO       {"parameter": "C", "place": 7, "turn": "...", "id": "..."} -> the row, then scores
    GET    /lab/hand/WHO       the scores of the nudge under way
    DELETE /lab/hand/WHO       gives that nudge up
    GET    /lab/hand/WHO/news  {"isNews": true} when somebody else has changed the study since the charts were drawn

WHO is the secret of one browser session, which its page alone knows.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hpo_core.errors import TuningError
from hpo_core.space import AnyParameter
from pages._shared.class_bench import is_seat_behind
from pages._shared.lab import the_lab
from pages._shared.live_charts import are_behind
from pages._shared.parameter_row import Move, parsed_move, row_spec
from pages._shared.parameters import row_view, take_move
from pages._shared.score_card import card_view
from pages._shared.tuning import Tuning, bench_of, best_trial

_MOST_BYTES = 4000
_REST_SECONDS = 0.25
_REST_SECONDS_PER_MOVE = 0.05
_WINDOW_SECONDS = 2.0


async def post_move(request: Request) -> Response:
    """Takes a move in and answers with events: what the row shows now, then the score as folds arrive."""
    tuning = bench_of(request.path_params["who"])
    if tuning is None or tuning.study is None:
        return Response(status_code=404)
    sent = await _json(request)
    move = parsed_move(sent)
    if move is None or sent.get("parameter") not in tuning.problem.space.names:
        return Response(status_code=400)
    answer = await run_in_threadpool(_taken, tuning, tuning.problem.space[sent["parameter"]], move)
    return _events(_with_scores(answer, tuning))


async def get_scores(request: Request) -> Response:
    """Events with the score of the nudge under way, until it is over."""
    tuning = bench_of(request.path_params["who"])
    if tuning is None or tuning.nudge is None:
        return Response(status_code=404)
    return _events(_scores(tuning))


async def cancel_nudge(request: Request) -> Response:
    """Gives the nudge under way up."""
    tuning = bench_of(request.path_params["who"])
    if tuning is None or tuning.nudge is None:
        return Response(status_code=404)
    await run_in_threadpool(the_lab().manual.cancel, tuning.nudge)
    return Response(status_code=204)


async def get_news(request: Request) -> Response:
    """Whether the charts are behind the study."""
    tuning = bench_of(request.path_params["who"])
    if tuning is None:
        return Response(status_code=404)
    return JSONResponse({"isNews": await run_in_threadpool(_is_news, tuning)})


ROUTES = [
    Route("/lab/hand/{who}", post_move, methods=["POST"]),
    Route("/lab/hand/{who}", get_scores),
    Route("/lab/hand/{who}", cancel_nudge, methods=["DELETE"]),
    Route("/lab/hand/{who}/news", get_news),
]


class _Pace:
    """How long a hand is to rest before the page is drawn: the longer, the more people move at the same time."""

    def __init__(self) -> None:
        self._moves: deque[float] = deque()

    def moved(self) -> None:
        self._moves.append(time.monotonic())

    def rest_ms(self) -> int:
        while self._moves and self._moves[0] < time.monotonic() - _WINDOW_SECONDS:
            self._moves.popleft()
        return round(1000 * (_REST_SECONDS + _REST_SECONDS_PER_MOVE * len(self._moves)))


_PACE = _Pace()


async def _json(request: Request) -> Any:
    """What was sent; None if it is not JSON or longer than any move."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _taken(tuning: Tuning, parameter: AnyParameter, move: Move) -> dict[str, Any]:
    """Takes a move in; what its row shows then, and whether the page must be drawn at once."""
    with tuning.lock:
        before = tuning.configuration.keys()
        take_move(tuning, parameter, move)
        is_otherwise = tuning.configuration.keys() != before or bool(tuning.notices)
        view = row_view(tuning, parameter, best_trial(tuning))
    return {"row": row_spec(view), "isOtherwise": is_otherwise}


async def _with_scores(answer: dict[str, Any], tuning: Tuning) -> AsyncIterator[dict[str, Any]]:
    _PACE.moved()
    yield answer
    async for message in _scores(tuning):
        yield message


async def _scores(tuning: Tuning) -> AsyncIterator[dict[str, Any]]:
    """The card each time that the nudge under way gets further, until it is over or a newer one takes its place."""
    nudge, loop, change = tuning.nudge, asyncio.get_running_loop(), asyncio.Event()
    assert nudge is not None
    with nudge.listener(lambda: loop.call_soon_threadsafe(change.set)):
        is_over = False
        while not is_over and tuning.nudge is nudge:
            change.clear()
            is_over = nudge.is_over
            yield {"card": await run_in_threadpool(_card, tuning), "restMs": _PACE.rest_ms()}
            if not is_over:
                await change.wait()


def _card(tuning: Tuning) -> dict[str, Any]:
    return card_view(tuning, best_trial(tuning))


def _is_news(tuning: Tuning) -> bool:
    try:
        return are_behind(tuning) if tuning.turnstile is None else is_seat_behind(tuning, tuning.turnstile)
    except TuningError:  # the page says it
        return True


def _events(messages: AsyncIterator[dict[str, Any]]) -> Response:
    async def lines() -> AsyncIterator[str]:
        async for message in messages:
            yield f"data: {json.dumps(message)}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
