"""A storage that cannot be used says so in a sentence with a way out, shows no password and loses nothing."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from sqlalchemy import event

from hpo_core.errors import StorageError, UsageError
from hpo_core.studies.database import parse_url, shared_database
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.conftest import PASSWORD, Server
from tests.finished_trials import finished, new_study


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can enter, other than pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="tuning-lab-"))
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


def as_ordinary_user(act: Callable[[], None]) -> None:
    """Runs an act in a child process without the rights of root, which would write to everything."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        fault = ""
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            act()
        except BaseException:
            fault = traceback.format_exc()
        os.write(writer, fault.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    assert said == ""


def study_in(path: Path) -> StudyStorage:
    storage = StudyStorage.open(str(path))
    study = new_study(storage)
    study.record(finished(0))
    study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    return storage


def assert_only_reading_works(path: Path) -> None:
    storage = StudyStorage.open(str(path))
    study = storage.study("digits")
    assert len(study.read()) == 1
    assert study.runs.current() is not None
    acts = (
        lambda: study.record(finished(1)),
        lambda: study.runs.ask_for("stopped"),
        lambda: storage.delete("digits"),
        lambda: storage.rename("digits", "new"),
        lambda: new_study(storage, "another"),
    )
    for act in acts:
        with pytest.raises(StorageError, match=r"is read-only. Give yourself permission"):
            act()


def test_a_read_only_file_is_read_and_refuses_writes(open_folder: Path) -> None:
    path = open_folder / "lab.db"
    storage = study_in(path)
    storage.study("digits").runs.publish(1, state="finished")
    storage.close()
    path.chmod(0o444)
    as_ordinary_user(lambda: assert_only_reading_works(path))


def test_a_file_in_a_read_only_folder_is_read_and_refuses_writes(open_folder: Path) -> None:
    path = open_folder / "lab.db"
    storage = study_in(path)
    storage.study("digits").runs.publish(1, state="finished")
    storage.close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    as_ordinary_user(lambda: assert_only_reading_works(path))


def test_a_read_only_storage_of_another_program_is_read_without_runs(open_folder: Path) -> None:
    path = open_folder / "theirs.db"
    theirs = optuna.create_study(study_name="theirs", storage=f"sqlite:///{path}")
    theirs.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=2)
    path.chmod(0o444)
    open_folder.chmod(0o555)

    def look() -> None:
        storage = StudyStorage.open(str(path))
        study = storage.study("theirs")
        assert len(study.read()) == 2
        assert study.runs.current() is None
        assert study.runs.events() == ()
        assert len(storage.summaries()) == 1

    as_ordinary_user(look)


def test_a_folder_that_may_not_be_written_to_is_said(open_folder: Path) -> None:
    open_folder.chmod(0o555)

    def look() -> None:
        with pytest.raises(StorageError, match=r"does not permit this|cannot be opened"):
            StudyStorage.open(str(open_folder / "lab.db"))

    as_ordinary_user(look)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing of the storage is not there. Create it"):
        StudyStorage.open(str(tmp_path / "missing" / "lab.db"))


def test_a_folder_instead_of_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"is a folder. Name a file in it"):
        StudyStorage.open(str(tmp_path))


@pytest.mark.parametrize("content", [b"trial,value\n1,0.5\n" * 100, b"short", bytes(range(256)) * 64])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"is not a database. Choose another file"):
        StudyStorage.open(str(path))
    assert path.read_bytes() == content


def test_a_damaged_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    storage = StudyStorage.open(str(path))
    study = new_study(storage)
    study.record(*(finished(i) for i in range(200)))
    storage.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(StorageError, match=r"is damaged.* Restore it from a copy"):
        StudyStorage.open(str(path)).study("digits").read()
    shared_database(str(path)).engine.dispose()


def set_version(url: str, statement: str) -> None:
    with shared_database(url).writing() as connection:
        connection.exec_driver_sql(statement)
    shared_database(url)._prepared = None


def test_a_schema_of_a_newer_optuna_is_refused(storage: StudyStorage) -> None:
    set_version(storage.url, "UPDATE alembic_version SET version_num = 'v9.0.0.a'")
    with pytest.raises(StorageError, match=r"made by a newer version of Optuna. Cure that with: pip install -U optuna"):
        StudyStorage.open(storage.url)


def test_a_schema_of_an_older_optuna_is_refused_with_the_command_that_upgrades_it(storage: StudyStorage) -> None:
    set_version(storage.url, "UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    with pytest.raises(StorageError, match=r"made by an older version of Optuna. .* optuna storage upgrade") as caught:
        StudyStorage.open(storage.url)
    assert "correct" not in str(caught.value)


def test_a_schema_of_a_newer_lab_is_refused(storage: StudyStorage) -> None:
    set_version(storage.url, "UPDATE tuninglab_schema SET version = 99")
    with pytest.raises(StorageError, match="written by a newer Tuning Lab"):
        StudyStorage.open(storage.url)


def test_a_database_of_another_program_is_left_alone(bare_url: str) -> None:
    database = shared_database(bare_url)
    if database.path:
        database.path.touch()
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    with pytest.raises(StorageError, match="belongs to another program"):
        StudyStorage.open(bare_url)


def test_a_schema_that_was_cut_off_while_it_was_made_is_completed(storage: StudyStorage) -> None:
    set_version(storage.url, "DELETE FROM alembic_version")
    set_version(storage.url, "DROP TABLE tuninglab_events")
    set_version(storage.url, "DROP TABLE trial_heartbeats")
    study = new_study(StudyStorage.open(storage.url))
    study.record(finished())
    study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
    assert [e.what for e in study.runs.events()] == ["begun"]


def test_a_file_that_was_deleted_under_the_lab_is_noticed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    storage = study_in(path)
    study = storage.study("digits")
    table = study.read()
    path.rename(tmp_path / "elsewhere.db")
    for act in (lambda: study.record(finished(1)), lambda: study.read(table), storage.summaries):
        with pytest.raises(StorageError, match=r"cannot be opened. See that its folder is there"):
            act()
    assert not path.exists()
    (tmp_path / "elsewhere.db").rename(path)
    assert study.record(finished(1)) == [1]
    storage.close()


def test_a_folder_that_went_away_is_noticed_and_a_new_storage_can_be_made_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "data" / "lab.db"
    path.parent.mkdir()
    storage = study_in(path)
    study = storage.study("digits")
    shutil.rmtree(path.parent)
    with pytest.raises(StorageError, match="cannot be opened"):
        study.record(finished(1))
    path.parent.mkdir()
    again = StudyStorage.open(str(path))
    assert again.summaries() == ()
    with pytest.raises(UsageError, match="has been deleted"):
        study.record(finished(1))
    storage.close()


def test_a_full_disk_loses_nothing_and_the_same_trials_are_written_once_there_is_room(sqlite_url: str) -> None:
    study = new_study(StudyStorage.open(sqlite_url))
    study.record(finished(0))
    allow_pages(sqlite_url, 1)
    trials = [finished(i) for i in range(1, 200)]
    with pytest.raises(StorageError, match=r"the disk is full. Make room, then try again"):
        study.record(*trials)
    assert len(study.read()) == 1
    allow_pages(sqlite_url, 1_000_000)
    assert study.record(*trials) == list(range(1, 200))
    assert len(study.read()) == 200


def allow_pages(url: str, n: int) -> None:
    """Limits the size of the file as a disk would; the limit belongs to the pool's only connection."""
    with shared_database(url).reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {n}")


def test_a_server_that_cannot_be_reached_is_said() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"postgresql://lab:s3cr3t@127.0.0.1:{listener.getsockname()[1]}/lab"
        with pytest.raises(StorageError, match=r"cannot be reached. See that the server runs") as caught:
            StudyStorage.open(url)
    assert "s3cr3t" not in str(caught.value)
    assert "lab:***@127.0.0.1" in str(caught.value)


def test_a_wrong_password_is_said_and_not_shown(postgresql_server: Server) -> None:
    with pytest.raises(StorageError, match="refused the user name or the password") as caught:
        StudyStorage.open(postgresql_server.url(password=PASSWORD.upper()))
    assert PASSWORD.upper() not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_does_not_exist_is_said(postgresql_server: Server) -> None:
    with pytest.raises(StorageError, match="does not exist") as caught:
        StudyStorage.open(postgresql_server.url("nowhere"))
    assert PASSWORD not in str(caught.value)


def test_connections_that_the_server_cut_are_made_anew(postgresql_url: str, postgresql_server: Server) -> None:
    study = new_study(StudyStorage.open(postgresql_url))
    study.record(finished(0))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    postgresql_server.execute(cut.format(postgresql_url.rpartition("/")[2]))
    assert study.record(finished(1)) == [1]


def test_a_connection_cut_in_the_middle_of_recording_leaves_nothing_and_can_be_retried(
    postgresql_url: str, postgresql_server: Server
) -> None:
    study = new_study(StudyStorage.open(postgresql_url))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    engine = shared_database(postgresql_url).engine

    @event.listens_for(engine, "before_cursor_execute")
    def cut_in_the_middle(_: object, __: object, statement: str, *___: object) -> None:
        if "INSERT INTO trial_params" in statement:
            postgresql_server.execute(cut.format(postgresql_url.rpartition("/")[2]))

    with pytest.raises(StorageError, match="cannot be reached"):
        study.record(finished(0))
    event.remove(engine, "before_cursor_execute", cut_in_the_middle)
    assert len(study.read()) == 0
    assert study.record(finished(0)) == [0]


def test_a_user_who_may_only_read_reads(postgresql_url: str, postgresql_server: Server) -> None:
    study = new_study(StudyStorage.open(postgresql_url))
    study.record(finished(0))
    with shared_database(postgresql_url).writing() as connection:
        for statement in ("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'guest'"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    storage = StudyStorage.open(postgresql_url.replace("lab:correct%20horse", "guest:guest"))
    try:
        guest = storage.study("digits")
        assert len(guest.read()) == 1
        assert guest.runs.current() is None
        with pytest.raises(StorageError, match="does not permit this"):
            guest.record(finished(1))
    finally:
        storage.close()
        with shared_database(postgresql_url).writing() as connection:
            connection.exec_driver_sql("DROP OWNED BY guest")
            connection.exec_driver_sql("DROP ROLE guest")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:s3cr3t@host/db", "kind 'mysql' is not supported"),
        ("nonsense://u:s3cr3t@host/db", "not"),
        ("://u:s3cr3t@", "not the URL of a storage"),
        ("postgresql://u:s3cr3t@host:port/db", "not the URL of a storage"),
        ("sqlite://", "not a database in memory"),
        ("sqlite:///:memory:", "not a database in memory"),
    ],
)
def test_a_url_that_names_no_storage_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        parse_url(url)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_a_plain_postgresql_url_means_its_modern_driver() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"):
        assert parse_url(f"{scheme}://u:p@host/db").drivername == "postgresql+psycopg"


def test_the_shown_url_has_no_password(postgresql_url: str) -> None:
    storage = StudyStorage.open(postgresql_url)
    assert PASSWORD in storage.url
    assert PASSWORD not in storage.shown_url


def test_a_table_that_is_missing_is_a_storage_fault(sqlite_url: str) -> None:
    study = new_study(StudyStorage.open(sqlite_url))
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("DROP TABLE trial_params")
    with pytest.raises(StorageError, match="lacks its tables"):
        study.record(finished())
