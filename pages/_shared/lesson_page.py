"""A lesson on screen: what it is, its settings, and the scene of now. All of its state is in the URL."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from html import escape

import streamlit as st

from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.glossary import linked_html
from hpo_core.lessons import LESSONS, Film, Lesson, LessonState, Scene, Told
from hpo_core.options import options_of
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.lesson_address import MOST_SEED, read_address, write_address
from pages._shared.lesson_film import lesson_film, picks, place
from pages._shared.lesson_knobs import lesson_knobs
from pages._shared.lesson_list import open_lesson
from pages._shared.lesson_progress import keep_progress, lessons_done, mark_done
from pages._shared.option_widgets import option_widgets
from pages._shared.problem_bar import COPY_BUTTON

_WAITS = "lesson-waits"
_POLL_SECONDS = 0.5


def lesson_page(key: str) -> None:
    """The lesson with this key, as the URL has it."""
    _head(LESSONS[key])
    waits = st.session_state.get(_WAITS, False)
    guarded_fragment(_area, what="The lesson", key="lesson-area", every=_POLL_SECONDS if waits else None)(waits)
    keep_progress()
    _way_on(key)


def _head(lesson: Lesson) -> None:
    number = LESSONS.keys.index(lesson.key) + 1
    parts = (("Goal", lesson.purpose), ("Do", lesson.to_do), ("Predict", lesson.to_predict))
    rows = "".join(f"<div><dt>{name}</dt><dd>{linked_html(text)}</dd></div>" for name, text in parts)
    tick = '<span class="lab-badge lab-lesson-done">✓ done</span>' if lesson.key in lessons_done() else ""
    with st.container(key="lesson-head", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="lab-problem"><h1>{escape(lesson.label)} {tick}</h1>'
            f"<p>Lesson {number} of {len(LESSONS)} · {lesson.minutes} minutes</p></div>"
        )
        st.html(COPY_BUTTON, width="content")
    st.html(f'<dl class="lab-lesson-goal">{rows}</dl>')


def _area(waited: bool) -> None:
    lesson, state = read_address()
    with st.container(key="card-lesson-settings"):
        lesson, state = _settings(lesson, state)
    write_address(lesson, state)
    scene = lesson.scene(state, the_lab().workshop)
    if bool(scene.waits_for) != waited:
        st.session_state[_WAITS] = bool(scene.waits_for)
        st.rerun()
    with st.container(key="card-lesson"):
        if scene.task:
            _scene(lesson, state, scene)
        if scene.waits_for:
            st.html(f'<div class="lab-empty" role="status"><p>{escape(scene.waits_for)}</p></div>')
    _check(lesson, scene)
    if scene.check.is_done and mark_done(lesson.key):
        st.rerun()


def _settings(lesson: Lesson, state: LessonState) -> tuple[Lesson, LessonState]:
    """What the widgets say now; a change of theirs begins anew what the lesson wants begun anew."""
    if not options_of(type(lesson)) and not lesson.has_chance:
        return lesson, state
    with st.container(key="lesson-settings", horizontal=True, vertical_alignment="bottom"):
        chosen = option_widgets(lesson, key=f"lesson-{lesson.key}")
        seed = state.seed
        if lesson.has_chance:
            seed_key = f"lesson-{lesson.key}-seed"
            seed = int(
                st.number_input(
                    "Seed", 1, MOST_SEED, state.seed, key=seed_key, help="The same number gives the same chance again."
                )
            )
    if seed != state.seed:
        return chosen, LessonState(seed=seed)
    return chosen, state if chosen == lesson else chosen.changed(state, lesson)


def _scene(lesson: Lesson, state: LessonState, scene: Scene) -> None:
    with st.container(key="lesson-now"):
        st.html(f'<p class="lab-lesson-task">{escape(scene.task)}</p>')
        if scene.facts and not scene.knobs:
            st.html(_facts(scene))
        if scene.ask:
            _question(lesson, state, scene)
        if scene.knobs:
            lesson_knobs(lesson, scene)
            st.html(_facts(scene))
        _buttons(lesson, state, scene)
        _findings(scene.told[:1])
    if scene.film:
        _film(lesson, state, scene, scene.film)
    with st.container(key="lesson-told"):  # below, so that what is spoken of is in view
        _findings(scene.told[1:])
    with st.container(key="lesson-numbers"):
        _numbers(lesson, scene)


def _findings(told: tuple[Told, ...]) -> None:
    if told:
        rows = "".join(f'<li class="lab-told-{one.tone or "plain"}">{escape(one.text)}</li>' for one in told)
        st.html(f'<ul class="lab-lesson-told">{rows}</ul>')


def _film(lesson: Lesson, state: LessonState, scene: Scene, film: Film) -> None:
    key = f"film-{lesson.key}"
    with st.container(key="lesson-film"):
        lesson_film(
            film,
            key=key,
            scene=scene.name or f"{lesson!r} {state.seed} {len(film.boards)} {film.n_steps}",
            step=state.step,
            n_moves=len(state.moves),
            on_pick=partial(_take_picks, key),
            on_step=partial(_take_step, key),
        )


def _numbers(lesson: Lesson, scene: Scene) -> None:
    for title, frame in scene.numbers.items():
        with st.expander(title, key=f"lesson-table-{title}"):
            st.dataframe(frame, hide_index=True)
            name = f"{lesson.key}-{title.lower().replace(' ', '-')}"
            st.download_button(
                "CSV", partial(csv_bytes, frame), f"{name}.csv", "text/csv", key=f"{name}-csv", on_click="ignore"
            )


def _facts(scene: Scene) -> str:
    cells = "".join(
        f'<div><dt>{escape(f.label)}</dt><dd class="lab-told-{f.tone or "plain"}">{escape(f.value)}</dd></div>'
        for f in scene.facts
    )
    return f'<dl class="lab-lesson-facts">{cells}</dl>'


def _question(lesson: Lesson, state: LessonState, scene: Scene) -> None:
    assert scene.ask
    choices = scene.ask.choices
    key = f"guess-{lesson.key}-{scene.ask.question}"
    default = state.guess if state.guess in choices else None
    st.pills(
        f"Predict: {scene.ask.question}",
        choices,
        default=default,
        key=key,
        on_change=_answered,
        args=(key, len(state.moves)),
    )


def _answered(key: str, n_moves: int) -> None:
    lesson, state = read_address()
    if len(state.moves) != n_moves:
        return  # fast moves bring the answer to an earlier question once more
    write_address(lesson, lesson.guessed(state, st.session_state[key] or ""))


def _buttons(lesson: Lesson, state: LessonState, scene: Scene) -> None:
    with st.container(key="lesson-actions", horizontal=True, gap="small"):
        for action in scene.actions:
            st.button(
                action.label,
                key=f"lesson-act-{action.key}",
                type="primary" if action.is_main else "secondary",
                disabled=bool(action.why_not),
                help=action.why_not or None,
                on_click=_act,
                args=(action.key,),
            )


def _act(action: str) -> None:
    lesson, state = read_address()
    write_address(lesson, lesson.acted(state, action))


def _take_picks(key: str) -> None:
    lesson, state = read_address()
    for x, y in picks(key, len(state.moves)):
        state = lesson.picked(state, x, y)
    write_address(lesson, state)


def _take_step(key: str) -> None:
    lesson, state = read_address()
    write_address(lesson, replace(state, step=place(key)))


def _check(lesson: Lesson, scene: Scene) -> None:
    mark = "✓" if scene.check.is_done else "?"
    answer = f"<p>{escape(scene.check.answer)}</p>" if scene.check.answer else ""
    kind = "lab-check-done" if scene.check.is_done else ""
    st.html(
        f'<div class="lab-lesson-check {kind}"><span aria-hidden="true">{mark}</span><div>'
        f"<h3>Check: answer by doing</h3><p>{escape(lesson.check_question)}</p>{answer}</div></div>"
        f'<p class="lab-note">Source: {escape(lesson.source)}.</p>'
    )


def _way_on(key: str) -> None:
    keys = LESSONS.keys
    at = keys.index(key)
    with st.container(key="lesson-way", horizontal=True, gap="small"):
        st.button("All lessons", key="lesson-all", on_click=open_lesson, args=("",))
        for label, other in (("Previous", at - 1), ("Next", at + 1)):
            if 0 <= other < len(keys):
                text = f"{label}: {LESSONS[keys[other]].label}"
                st.button(text, key=f"lesson-{label.lower()}", on_click=open_lesson, args=(keys[other],))
