"""Notes stay with their study, lose nothing when several write at once, and leave other programs alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest

from hpo_core.errors import UsageError
from hpo_core.studies.notes import MOST_CHARACTERS
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.tables import NOTE_ATTRIBUTE
from tests.finished_trials import finished, new_study


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/lab.db"


@pytest.fixture
def storage(url):
    return StudyStorage.open(url, by="a person")


def told(study):
    return [(note.trial, note.text, note.by) for note in study.read().notes]


def test_notes_are_read_in_their_order_and_stay_through_a_new_name(storage):
    study = new_study(storage)
    study.record(finished(0), finished(1))
    study.add_note("  plan: wider C \n")
    study.add_note("<b>odd</b>", (0, 1))
    storage.rename("digits", "numbers")
    assert told(storage.study("numbers")) == [
        (None, "plan: wider C", "a person"),
        (0, "<b>odd</b>", "a person"),
        (1, "<b>odd</b>", "a person"),
    ]
    assert not [key for key in study.attributes if key.startswith(NOTE_ATTRIBUTE)]


def test_a_table_read_before_learns_of_new_and_deleted_notes(storage):
    study = new_study(storage)
    study.record(finished())
    before = study.read()
    study.add_note("one")
    study.add_note("two")
    noted = study.read(before)
    assert noted.revision != before.revision
    study.remove_note(noted.notes[1])
    study.add_note("three")
    again = study.read(noted)
    assert [note.text for note in again.notes] == ["one", "three"]
    assert study.read(again) is again


def test_those_who_write_at_once_lose_nothing(storage, url):
    new_study(storage)

    def write(i):
        StudyStorage.open(url).study("digits").add_note(f"note {i}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert {text for _, text, _ in told(storage.study("digits"))} == {f"note {i}" for i in range(12)}


@pytest.mark.parametrize(
    ("text", "trials", "fault"),
    [
        (" \n", (), "is empty"),
        ("x" * (MOST_CHARACTERS + 1), (), "at most 2,000 characters; this one has 2,001"),
        ("there", (0, 7), "has no trial 7"),
    ],
)
def test_what_cannot_be_noted_is_refused_and_nothing_is_written(storage, text, trials, fault):
    study = new_study(storage)
    study.record(finished())
    with pytest.raises(UsageError, match=fault):
        study.add_note(text, trials)
    assert told(study) == []


def test_a_note_is_deleted_only_by_who_wrote_it(storage, url):
    study = new_study(storage)
    study.add_note("mine")
    (note,) = study.read().notes
    with pytest.raises(UsageError, match="Only who has written"):
        StudyStorage.open(url, by="another").study("digits").remove_note(note)
    study.remove_note(note)
    assert told(study) == []


def test_study_of_another_program_takes_notes_and_still_opens_there(storage, url):
    foreign = optuna.create_study(study_name="foreign", storage=url)
    foreign.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    foreign.set_user_attr(f"{NOTE_ATTRIBUTE}garbage", ["not", "a", "note"])
    study = storage.study("foreign")
    study.add_note("seen", (1,))
    assert told(study) == [(1, "seen", "a person")]
    assert len(optuna.load_study(study_name="foreign", storage=url).trials) == 2
