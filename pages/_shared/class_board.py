"""The teacher's page of a class: the code for the projector, the board of all people, and what steers it."""

from __future__ import annotations

from html import escape
from urllib.parse import urlparse

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_score
from hpo_core.search.class_results import PersonSoFar, is_scored, people_so_far
from hpo_core.search.classroom import Classroom, open_class
from hpo_core.search.dueling import is_held, is_searched
from hpo_core.search.recovery import recover
from pages._shared.class_charts import class_paths, class_spread
from pages._shared.class_results import class_results
from pages._shared.duel_state import go_on, is_duel_active
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab

_EVERY_SECONDS = 2.0
_HERE = ("localhost", "127.0.0.1", "[::1]")
_FAULT = "class-board-fault"
_VIEWS = {"projector": "Projector", "board": "Board"}


def class_board(room: Classroom) -> None:
    """The whole page; it renews itself until all is scored."""
    plan = room.duel.plan
    st.html(
        f'<div class="lab-problem"><h1>{escape(plan.name)}</h1><p>{escape(shown_name(room.duel.title))} · '
        f"{plan.budget.amount:g} tries for each person · {escape(_machine(room))}</p></div>"
    )
    is_done = room.state == "over" and is_scored(room.duel)
    every = None if is_done else _EVERY_SECONDS
    guarded_fragment(_body, what="The class", key="class-body", every=every)(room.code, is_done)


def _machine(room: Classroom) -> str:
    return "beside " + ", ".join(arm.label for arm in room.duel.plan.arms if not arm.person)


def _body(code: str, was_done: bool) -> None:
    room = open_class(the_lab().storage, code)
    for member in room.duel.searches:
        recover(member.study)
    people = people_so_far(room.duel, the_lab().table_of)
    state = room.state
    _steering(room, state, len(people))
    if state == "over":
        class_results(room)
    elif _view() == "projector":
        _projector(room, people)
    else:
        _board(room, people)
    if (state == "over" and is_scored(room.duel)) != was_done:
        st.rerun()


def _steering(room: Classroom, state: str, n_people: int) -> None:
    n, n_done = len(room.duel.searches), sum(map(is_searched, room.duel.searches))
    with st.container(key="card-class-state", gap="small"):
        words = f"{format_count(n_people)} {'person' if n_people == 1 else 'people'} · {n_done} of {n} searches done"
        css = {"waiting": "starting", "over": "finished"}.get(state, state)
        badge = f'<span class="lab-badge lab-state-{css}" role="status">{state}</span>'
        st.html(f'<div class="lab-row"><b>{words}</b>{badge}</div>')
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            _buttons(room, state)
        if fault := st.session_state.pop(_FAULT, "") or room.duel.control.get("fault"):
            st.error(plain(fault))
        st.caption("The address of this page is your key: whoever has it can steer the class. Keep it, show the other.")


def _buttons(room: Classroom, state: str) -> None:
    if state in ("waiting", "paused"):
        label = "Start" if state == "waiting" else "Go on"
        st.button(label, key="class-start", type="primary", on_click=room.play, args=("running",))
    elif state == "running":
        st.button("Pause", key="class-pause", on_click=room.play, args=("paused",))
    if state != "over":
        with st.popover("End"):
            st.markdown(
                "Nobody can try anything after that. What each person and each search has chosen is scored on fresh "
                "folds, and once on the locked rows where there are any; these looks are counted."
            )
            st.button("End the class", key="class-end", type="primary", on_click=_end, args=(room,))
        if room.duel.people:
            _remover(room)
    if not is_duel_active(room.duel) and not is_held(room.duel) and not _is_at_rest(room, state):
        st.button("Let the machine go on", key="class-machine-on", on_click=go_on, args=(room.duel,))


def _is_at_rest(room: Classroom, state: str) -> bool:
    return is_scored(room.duel) if state == "over" else all(map(is_searched, room.duel.searches))


def _remover(room: Classroom) -> None:
    names = [member.person.name for member in room.duel.people if member.person is not None]
    with st.popover("Remove a name"):
        name = st.selectbox("Name", names, key="class-remove-name", format_func=plain)
        st.caption("With all that this person tried. For an hour the page Studies can bring it back.")
        st.button("Remove", key="class-remove", on_click=_remove, args=(room, name))


def _remove(room: Classroom, name: str) -> None:
    try:
        room.remove(the_lab().storage, name)
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)


def _end(room: Classroom) -> None:
    room.end(the_lab().storage)
    go_on(room.duel)


def _view() -> str:
    return str(
        st.segmented_control(
            "View",
            list(_VIEWS),
            default="projector",
            required=True,
            format_func=_VIEWS.__getitem__,
            key="class-view",
            label_visibility="collapsed",
        )
    )


def _projector(room: Classroom, people: tuple[PersonSoFar, ...]) -> None:
    """What everybody may see: the way in, and who is how far; no score."""
    url = urlparse(st.context.url or "")
    link = f"{url.scheme}://{url.netloc}/class?code={room.code}" if url.netloc else f"/class?code={room.code}"
    with st.container(key="card-class-projector", gap="small"):
        st.html(
            '<div class="lab-class-door"><span class="lab-eyebrow">Join on the page Class with the code</span>'
            f'<strong class="lab-class-code">{room.code}</strong>'
            f'<span class="lab-class-link">{escape(link)}</span></div>'
        )
        if url.hostname in _HERE:
            st.caption(
                "This address works on this machine only. Others reach the lab by the name or number of this machine "
                "in your network, once it was started with make run HOST=0.0.0.0; open this page by it, too."
            )
        n = int(room.duel.plan.budget.amount)
        names = "".join(_progress(one, n) for one in people)
        st.html(
            f'<div class="lab-class-people" role="list">{names}</div>'
            if names
            else '<p class="lab-note">Nobody is here yet.</p>'
        )


def _progress(one: PersonSoFar, n: int) -> str:
    bar = f'<span class="lab-bar"><span style="width:{100 * min(one.n_tries, n) / n:.0f}%"></span></span>'
    note = f'<span class="lab-note">{one.n_tries} of {n}</span>'
    return f'<div role="listitem"><span>{escape(one.name)}</span>{bar}{note}</div>'


def _board(room: Classroom, people: tuple[PersonSoFar, ...]) -> None:
    """All that is known, for the teacher's eyes."""
    if not people:
        st.html('<div class="lab-empty"><h3>Nobody is here yet</h3><p>Show the code: it is on Projector.</p></div>')
        return
    sign = -1.0 if room.duel.direction == "maximize" else 1.0
    order = sorted(people, key=lambda one: (one.best != one.best, sign * one.best))
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="card-class-people", gap="small"):
        st.subheader("Who is how far?", anchor=False)
        rows = [(escape(one.name), f"{one.n_tries}", f"<b>{format_score(one.best)}</b>") for one in order]
        st.html(html_table("People", ("Name", "Tries", f"Best {room.duel.problem.metric_label} so far"), rows))
    with right:
        class_spread(room, people)
    class_paths(room, [one.arm for one in order])
