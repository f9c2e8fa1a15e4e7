"""Discarding studies, bringing them back, and deleting them when their time is over."""

from __future__ import annotations

import json
import subprocess
import sys

import optuna
import pytest
from sqlalchemy import func, select, update

from hpo_core.errors import StorageError, StudyBusyError, UsageError
from hpo_core.studies import tables
from hpo_core.studies.database import shared_database
from hpo_core.studies.discarding import KEPT_SECONDS
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.finished_trials import finished, new_study
from tests.moody_landscape import ROOT


def age(storage, seconds):
    """Moves the time at which studies were discarded into the past."""
    columns = tables.user_attributes.c
    with shared_database(storage.url).writing() as connection:
        rows = connection.execute(select(columns.study_id, columns.value_json).where(columns.key == "lab:discarded"))
        for row in rows.all():
            mark = json.loads(row.value_json)
            mark["time"] -= seconds
            condition = (columns.study_id == row.study_id) & (columns.key == "lab:discarded")
            connection.execute(update(tables.user_attributes).where(condition), {"value_json": json.dumps(mark)})


def n_rows(storage):
    """Rows of all tables that belong to studies."""
    all_tables = (
        tables.studies,
        *tables.STUDY_CHILDREN,
        tables.trials,
        *tables.TRIAL_CHILDREN,
        tables.runs,
        tables.events,
    )
    with shared_database(storage.url).reading() as connection:
        return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in all_tables)


def names(storage):
    return [s.name for s in storage.summaries()]


def test_a_discarded_study_is_in_no_list_and_found_by_no_name(storage):
    new_study(storage, "digits").record(finished())
    new_study(storage, "wine")
    storage.discard("digits")
    assert names(storage) == ["wine"]
    assert not storage.has("digits")
    with pytest.raises(UsageError, match="There is no study 'digits'; the storage holds 1 study"):
        storage.study("digits")
    assert storage.discarded() == ("digits",)


def test_whoever_has_it_open_finds_it_gone(storage):
    study = new_study(storage, "digits")
    storage.discard("digits")
    for act in (study.read, lambda: study.record(finished()), lambda: study.attributes, lambda: study.hide([0])):
        with pytest.raises(UsageError, match="no longer there"):
            act()


def test_restored_it_is_what_it_was(storage):
    study = new_study(storage, "digits", attributes={"title": "Digits"})
    study.record(finished(), finished(1))
    study.hide([1])
    run = study.runs.begin(RunSettings("random"), Budget("trials", 3))
    study.runs.publish(run.id, state="finished")
    before, table = storage.summaries(), study.read()
    storage.discard("digits")
    restored = storage.restore("digits")
    assert (restored.name, restored.key, restored.attributes) == ("digits", study.key, {"title": "Digits"})
    assert storage.summaries() == before
    assert restored.read(table) is table
    assert study.record(finished(2)) == [2]
    assert storage.discarded() == ()


def test_its_name_is_free_for_a_new_study_and_it_then_comes_back_under_another(storage):
    first = new_study(storage, "digits")
    storage.discard("digits")
    second = new_study(storage, "digits")
    storage.discard("digits")
    new_study(storage, "digits")
    assert storage.restore("digits").key == second.key
    assert storage.restore("digits").key == first.key
    assert sorted(names(storage)) == ["digits", "digits (restored 2)", "digits (restored)"]
    with pytest.raises(UsageError, match="deleted for good"):
        storage.restore("digits")


def test_the_longest_name_can_be_discarded_and_come_back(storage):
    name = "x" * tables.NAME_LENGTH
    new_study(storage, name)
    storage.discard(name)
    new_study(storage, name)
    assert len(storage.restore(name).name) <= tables.NAME_LENGTH
    storage.discard(name)
    assert storage.restore(name).name == name


def test_a_running_study_is_not_discarded(storage):
    new_study(storage, "digits").runs.begin(RunSettings("random"), Budget("trials", 3))
    with pytest.raises(StudyBusyError, match="Stop the run first"):
        storage.discard("digits")
    assert names(storage) == ["digits"]


def test_after_its_time_it_is_deleted_with_everything_when_studies_are_listed(storage):
    empty = n_rows(storage)
    study = new_study(storage, "digits")
    study.record(finished())
    study.runs.publish(study.runs.begin(RunSettings("random"), Budget("trials", 3)).id, state="finished")
    storage.discard("digits")
    age(storage, KEPT_SECONDS - 60)
    assert storage.summaries() == ()
    assert storage.discarded() == ("digits",)
    age(storage, 120)
    assert storage.summaries() == ()
    assert n_rows(storage) == empty
    with pytest.raises(UsageError, match="deleted for good"):
        storage.restore("digits")


def test_after_its_time_it_is_deleted_when_another_process_opens_the_storage(storage):
    new_study(storage, "digits")
    storage.discard("digits")
    age(storage, KEPT_SECONDS + 1)
    script = "import sys; from hpo_core.studies.storage import StudyStorage; StudyStorage.open(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, storage.url], check=True, cwd=ROOT)
    assert storage.discarded() == ()


def test_only_what_was_discarded_long_ago_is_purged(storage):
    for name in ("old", "young", "kept"):
        new_study(storage, name)
    storage.discard("old")
    age(storage, 100)
    storage.discard("young")
    assert storage.purge(50) == 1
    assert storage.discarded() == ("young",)
    assert names(storage) == ["kept"]


def test_children_lose_their_parent_until_it_is_back(storage):
    parent = new_study(storage, "parent")
    child = new_study(storage, "child", attributes={"parent": parent.key})
    storage.discard("parent")
    assert [(s.name, s.parent) for s in storage.summaries()] == [("child", "")]
    storage.restore("parent")
    assert {s.name: (s.parent, s.n_children) for s in storage.summaries()} == {
        "child": ("parent", 0),
        "parent": ("", 1),
    }
    storage.discard("child")
    assert storage.summaries()[0].n_children == 0
    assert child.key


def test_an_attribute_parent_of_another_program_is_no_family(storage, optuna_storage):
    parent = new_study(storage, "parent")
    theirs = optuna.create_study(study_name="theirs", storage=optuna_storage)
    theirs.set_user_attr("parent", parent.key)
    odd = new_study(storage, "odd", attributes={"parent": [1]})
    assert odd.attributes["parent"] == [1]
    assert {s.name: s.parent for s in storage.summaries()} == {"parent": "", "theirs": "", "odd": ""}


def test_studies_of_other_programs_are_discarded_and_come_back(storage, optuna_storage):
    theirs = optuna.create_study(study_name="theirs", storage=optuna_storage)
    theirs.add_trial(optuna.create_trial(value=1.0))
    storage.discard("theirs")
    assert storage.summaries() == ()
    (shown,) = optuna.get_all_study_names(optuna_storage)
    with pytest.raises(UsageError, match="There is no study"):
        storage.study(shown)
    assert len(storage.restore("theirs").read()) == 1
    assert optuna.get_all_study_names(optuna_storage) == ["theirs"]


def test_delete_is_for_good_at_once(storage):
    empty = n_rows(storage)
    new_study(storage, "digits").record(finished())
    storage.delete("digits")
    assert n_rows(storage) == empty
    assert storage.discarded() == ()


def test_a_storage_that_takes_no_deletions_is_listed_all_the_same(sqlite_url):
    storage = StudyStorage.open(sqlite_url)
    new_study(storage, "digits")
    storage.discard("digits")
    age(storage, KEPT_SECONDS + 1)
    with shared_database(sqlite_url).writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE DELETE ON studies BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(StorageError, match="no room left"):
        storage.purge()
    assert storage.summaries() == ()
    assert storage.discarded() == ("digits",)
