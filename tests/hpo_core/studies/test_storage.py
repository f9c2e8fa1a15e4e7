"""Storages: where they are, what is in them, and names."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path

import optuna
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import event, inspect, select

from hpo_core.errors import StorageError, StudyBusyError, UsageError
from hpo_core.studies import tables
from hpo_core.studies.database import shared_database
from hpo_core.studies.run import Budget, Owner, RunSettings
from hpo_core.studies.storage import StudyStorage, data_folder
from tests.finished_trials import BEGIN, SPACE, failed, finished, new_study


def test_the_data_folder_is_the_one_given_then_the_variable_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TUNING_LAB_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert data_folder() == tmp_path / "home/.local/share/tuning-lab"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_folder() == tmp_path / "xdg/tuning-lab"
    monkeypatch.setenv("TUNING_LAB_DATA", str(tmp_path / "variable"))
    assert data_folder() == tmp_path / "variable"
    assert data_folder(tmp_path / "given") == tmp_path / "given"
    assert (tmp_path / "given").is_dir()


def test_a_data_folder_that_cannot_be_made_is_a_storage_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        data_folder(tmp_path / "file" / "folder")


def test_without_a_url_the_storage_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    storage = StudyStorage.open(folder=tmp_path / "data")
    assert storage.url == f"sqlite:///{tmp_path}/data/lab.db"
    assert (tmp_path / "data/lab.db").is_file()
    storage.close()


def test_a_storage_opens_from_nothing_by_each_kind_of_url(bare_url: str) -> None:
    storage = StudyStorage.open(bare_url)
    assert storage.summaries() == ()
    study = new_study(storage)
    study.record(finished())
    with shared_database(bare_url).reading() as connection:
        names = set(inspect(connection).get_table_names())
    assert names == {*tables.OPTUNA_TABLES, *tables.LAB_TABLES, "alembic_version", "version_info"}


def test_a_file_with_an_awkward_name_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "50% {of} a #1 [lab]? ü 'x'.db"
    storage = StudyStorage.open(str(path))
    new_study(storage).record(finished())
    assert len(sqlite3.connect(path).execute("SELECT * FROM trials").fetchall()) == 1
    assert len(StudyStorage.open(str(path)).study("digits").read()) == 1
    storage.close()


def test_relative_paths_stay_where_they_were_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("lab.db", "sqlite:///lab.db"):
        assert StudyStorage.open(url).url == f"sqlite:///{tmp_path}/lab.db"
    shared_database("lab.db").engine.dispose()


def test_a_study_opened_by_the_url_of_a_storage_is_the_same(storage: StudyStorage) -> None:
    study = new_study(storage, attributes={"problem": {"data": "digits"}})
    again = StudyStorage.open(storage.url).study("digits")
    assert (again.key, again.study_id, again.metric, again.direction) == (
        study.key, study.study_id, "accuracy", "maximize",
    )  # fmt: skip
    assert again.space() == SPACE
    assert again.attributes == {"problem": {"data": "digits"}}


def test_attributes_are_set_and_read_and_the_labs_own_are_kept_apart(storage: StudyStorage) -> None:
    study = new_study(storage)
    study.set_attribute("looks", 1)
    study.set_attribute("looks", 2)
    assert study.attributes == {"looks": 2}
    with pytest.raises(UsageError, match="written by the lab itself"):
        study.set_attribute("lab:key", "x")


def test_a_storage_of_optuna_is_opened_without_loss(bare_url: str) -> None:
    theirs = RDBStorage(bare_url.replace("postgresql://", "postgresql+psycopg://"))
    made = optuna.create_study(study_name="theirs", storage=theirs)
    made.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    storage = StudyStorage.open(bare_url)
    (summary,) = storage.summaries()
    assert (summary.name, summary.n_complete, summary.is_lab, summary.run) == ("theirs", 3, False, None)
    assert summary.best_value == made.best_value
    theirs.remove_session()
    theirs.engine.dispose()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "needs a name"),
        ("  ", "needs a name"),
        ("x" * 513, "at most 512"),
        ("a\nb", "on one line"),
        ("a\x00b", "printable"),
        ("\ud800", "printable"),
        ("taken", "already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(storage: StudyStorage, name: str, sentence: str) -> None:
    new_study(storage, "taken")
    new_study(storage, "other")
    with pytest.raises(UsageError, match=sentence):
        new_study(storage, name)
    with pytest.raises(UsageError, match=sentence):
        storage.rename("other", name)
    assert {s.name for s in storage.summaries()} == {"taken", "other"}


@pytest.mark.parametrize(
    "name", ["x" * 512, "digits · svm", "'; DROP TABLE studies; --", "<b>bold</b>", "=1+1", "ünï 🎛"]
)
def test_any_other_name_is_allowed(storage: StudyStorage, name: str) -> None:
    new_study(storage, name)
    assert storage.has(name)
    assert storage.study(name).name == name


def test_a_direction_that_is_none_is_refused(storage: StudyStorage) -> None:
    with pytest.raises(UsageError, match="minimize or maximize"):
        new_study(storage, direction="up")


def test_an_unknown_study_is_answered_with_the_nearest_names(storage: StudyStorage) -> None:
    for name in ("digits-svm", "iris"):
        new_study(storage, name)
    for act in (storage.study, storage.delete, lambda name: storage.rename(name, "new")):
        with pytest.raises(UsageError, match=r"no study 'digit-svm'\. Did you mean 'digits-svm'"):
            act("digit-svm")
    with pytest.raises(UsageError, match="holds 2 studies"):
        storage.study("zzzzzzz")


def test_a_renamed_study_keeps_its_trials_and_runs(storage: StudyStorage) -> None:
    study = new_study(storage, "old")
    study.record(finished())
    run = study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    storage.rename("old", "new")
    renamed = storage.study("new")
    assert not storage.has("old")
    assert renamed.key == study.key
    assert len(renamed.read()) == 1
    assert renamed.runs.current() == run
    study.record(finished(1))
    assert len(renamed.read()) == 2


def rows_left(storage: StudyStorage) -> dict[str, int]:
    everything = (
        tables.studies,
        *tables.STUDY_CHILDREN,
        tables.trials,
        *tables.TRIAL_CHILDREN,
        tables.runs,
        tables.events,
    )
    with shared_database(storage.url).reading() as connection:
        counts = {table.name: len(connection.execute(select(table)).all()) for table in everything}
    return {name: count for name, count in counts.items() if count}


def test_a_deleted_study_leaves_no_row_behind(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    kept = new_study(storage, "kept")
    kept.record(finished(0), finished(1))
    kept.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    before = rows_left(storage)
    study = new_study(storage, "gone", attributes={"x": 1})
    study.record(*(finished(i) for i in range(5)), failed(5))
    run = study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    study.runs.publish(run.id, state="finished")
    loaded = optuna.load_study(study_name="gone", storage=optuna_storage)
    trial = loaded.ask()
    optuna_storage.set_trial_system_attr(trial._trial_id, "note", 1)
    optuna_storage.record_heartbeat(trial._trial_id)
    storage.delete("gone")
    assert rows_left(storage) == before
    assert len(kept.read()) == 2


def test_a_study_that_is_being_run_is_not_deleted(storage: StudyStorage) -> None:
    study = new_study(storage)
    run = study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    study.runs.claim(run.id, Owner.of_this_process())
    with pytest.raises(StudyBusyError, match="Stop the run first"):
        storage.delete("digits")
    assert storage.has("digits")


def test_summaries_tell_what_a_list_shows_newest_change_first(storage: StudyStorage) -> None:
    nan = float("nan")
    one = new_study(storage, "one", direction="minimize", metric="rmse")
    new_study(storage, "empty")
    two = new_study(storage, "two")
    one.record(finished(0, value=3.0), finished(1, value=2.0), failed(2))
    pruned = finished(3, state=optuna.trial.TrialState.PRUNED, value=9.0, fold_scores=(9.0, nan))
    two.record(finished(0, value=0.25, completed=BEGIN + 10**9), pruned)
    run = one.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    summaries = {s.name: s for s in storage.summaries()}
    assert [s.name for s in storage.summaries()] == ["two", "one", "empty"]
    assert (summaries["one"].best_value, summaries["two"].best_value, summaries["empty"].best_value) == (
        2.0,
        0.25,
        None,
    )
    counts = {s.name: (s.n_trials, s.n_complete, s.n_pruned, s.n_failed) for s in summaries.values()}
    assert counts == {"one": (3, 2, 0, 1), "two": (2, 1, 1, 0), "empty": (0, 0, 0, 0)}
    assert (summaries["one"].direction, summaries["one"].metric) == ("minimize", "rmse")
    assert summaries["one"].run == run
    assert summaries["two"].run is None
    assert summaries["two"].changed == BEGIN + 10**9
    assert all(s.is_lab for s in summaries.values())
    assert storage.summaries()[2].created == summaries["empty"].changed


def test_summaries_take_as_many_queries_for_many_studies_as_for_one(storage: StudyStorage) -> None:
    statements: list[str] = []
    engine = shared_database(storage.url).engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    new_study(storage, "0").record(finished())
    statements.clear()
    storage.summaries()
    n_one = len(statements)
    for i in range(1, 12):
        new_study(storage, str(i)).record(finished(i))
    statements.clear()
    storage.summaries()
    assert len(statements) == n_one


def test_sqlite_storages_log_ahead_so_that_readers_do_not_wait(sqlite_url: str) -> None:
    storage = StudyStorage.open(sqlite_url)
    study = new_study(storage)
    with shared_database(sqlite_url).writing():
        assert len(study.read()) == 0
    path = sqlite_url.removeprefix("sqlite:///")
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_many_threads_share_a_storage(storage: StudyStorage) -> None:
    study = new_study(storage)
    faults: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for i in range(first, first + 5):
                study.record(finished(i))
                study.read()
                storage.summaries()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(100 * k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(study.read().numbers.tolist()) == list(range(40))


def test_a_forked_process_uses_connections_of_its_own(storage: StudyStorage) -> None:
    study = new_study(storage)
    study.record(finished(0))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            study.record(finished(1))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert study.record(finished(2)) == [2]
    assert len(study.read()) == 3


def test_the_revision_of_optunas_schema_is_the_one_that_is_known(optuna_storage: RDBStorage) -> None:
    assert optuna_storage.get_current_version() == optuna_storage.get_head_version() == "v3.2.0.a"


def test_declared_tables_are_those_of_optuna(storage: StudyStorage) -> None:
    with shared_database(storage.url).reading() as connection:
        inspector = inspect(connection)
        for name, columns in ((t.name, set(t.c.keys())) for t in (tables.trials, tables.params, tables.values)):
            assert {c["name"] for c in inspector.get_columns(name)} == columns


def test_an_attribute_is_stored_as_optuna_stores_it(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    new_study(storage, attributes={"x": [1, None, "ü"]})
    study = optuna.load_study(study_name="digits", storage=optuna_storage)
    assert study.user_attrs["x"] == [1, None, "ü"]
    assert json.dumps(study.user_attrs["lab:space"]) == json.dumps(SPACE.to_json())
