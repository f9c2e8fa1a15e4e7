"""What tests of several parts share: storages on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from optuna.storages import RDBStorage

from hpo_core.studies.database import shared_database
from hpo_core.studies.storage import StudyStorage
from tests.ports import free_port

PASSWORD = "correct horse"

# The same examples each time: what passes here passes there. To look for more: pytest --hypothesis-profile=explore
settings.register_profile("lab", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("lab")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of the tests' own."""

    port: int

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://lab:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A PostgreSQL server that lives as long as the tests, started from the system's binaries."""
    folder = Path(tempfile.mkdtemp(prefix="tuning-lab-postgresql-"))
    folder.chmod(0o755)
    process = None
    try:
        process, port = _start_server(folder)
        yield Server(port)
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty storage as one file, to be copied: making the schema takes longer than most tests."""
    path = tmp_path_factory.mktemp("storage") / "prepared.db"
    storage = StudyStorage.open(str(path))
    storage.close()
    return path


@pytest.fixture(scope="session")
def prepared_database(postgresql_server: Server) -> str:
    """The name of an empty storage, to be used as a template."""
    postgresql_server.execute("CREATE DATABASE prepared")
    storage = StudyStorage.open(postgresql_server.url("prepared"))
    storage.close()
    return "prepared"


@pytest.fixture
def sqlite_url(tmp_path: Path, prepared_file: Path) -> Iterator[str]:
    """The URL of an empty storage in a SQLite file."""
    path = tmp_path / "lab.db"
    shutil.copy(prepared_file, path)
    yield f"sqlite:///{path}"
    _disconnect(f"sqlite:///{path}")


@pytest.fixture
def make_postgresql_url(postgresql_server: Server) -> Iterator[Callable[..., str]]:
    """Makes databases from a template, dropped at the end of the test."""
    made: list[str] = []

    def make(template: str = "template0") -> str:
        made.append(f"test_{uuid.uuid4().hex}")
        postgresql_server.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {template}")
        return postgresql_server.url(made[-1])

    yield make
    for name in made:
        _disconnect(postgresql_server.url(name))
        postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(make_postgresql_url: Callable[..., str], prepared_database: str) -> str:
    """The URL of an empty storage on PostgreSQL."""
    return make_postgresql_url(prepared_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty storage, of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database, of each kind in turn, in which nothing is yet."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'bare.db'}"
        yield url
        _disconnect(url)
    else:
        yield request.getfixturevalue("make_postgresql_url")()


@pytest.fixture
def storage(storage_url: str) -> StudyStorage:
    """An empty storage, of each kind in turn."""
    return StudyStorage.open(storage_url)


@pytest.fixture
def optuna_storage(storage_url: str) -> Iterator[RDBStorage]:
    """The same storage as Optuna opens it."""
    opened = RDBStorage(storage_url.replace("postgresql://", "postgresql+psycopg://"))
    yield opened
    opened.remove_session()
    opened.engine.dispose()


def _disconnect(url: str) -> None:
    shared_database(url).engine.dispose()


def _start_server(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    data, password_file, log = folder / "data", folder / "password", folder / "log"
    data.mkdir()
    password_file.write_text(PASSWORD)
    log.touch()
    prefix: list[str] = []
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        account = pwd.getpwnam("postgres")
        for path in (folder, data, password_file, log):
            os.chown(path, account.pw_uid, account.pw_gid)
        prefix = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    options = ["--username=lab", "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--no-sync"]
    subprocess.run(
        [*prefix, _binary("initdb"), "-D", data, *options], check=True, capture_output=True, cwd=folder, timeout=120
    )
    port = free_port()
    settings = ["-F", "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    # The server ends when the tests are killed, too.
    mortal = [*(prefix or ["setpriv"]), "--pdeathsig", "QUIT"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*mortal, _binary("postgres"), "-D", data, *settings], stdout=output, stderr=output, cwd=folder
        )
    _wait_until_ready(process, port, log)
    return process, port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ready = [_binary("pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-t", "5"]
    while subprocess.run(ready, check=False, capture_output=True).returncode != 0:
        if process.poll() is not None:
            pytest.fail(f"PostgreSQL does not start: {log.read_text()}")


def _binary(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    if found is None:
        pytest.fail(f"The tests need PostgreSQL's {name}. Install it, for example with: apt-get install postgresql")
    return found
