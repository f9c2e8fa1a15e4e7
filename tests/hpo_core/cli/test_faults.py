"""Wrong use and broken storages: one plain sentence on standard error, the right code, nothing on standard output."""

import contextlib
import os
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path

import pytest

from hpo_core import make_problem
from hpo_core.cli.main import main
from hpo_core.landscapes import LANDSCAPES
from hpo_core.search import make_study
from hpo_core.studies.storage import StudyStorage


@pytest.fixture
def said(lab):
    """Runs a command that must fail; the sentence."""

    def run(*arguments, code=2):
        done = lab(*arguments)
        _check_sentence(done, code)
        return done.err

    return run


def _check_sentence(done, code):
    assert (done.code, done.out) == (code, ""), done
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


_IRIS = ("search", "--data", "iris", "--model", "svm")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("serch",), "invalid choice: 'serch'"),
        (("search",), "needs --data, or --study with the name of an existing study"),
        (("search", "--data", "irsi", "--model", "svm"), "no file and no bundled data set 'irsi'"),
        (("search", "--data", "iris"), "needs a model; there are"),
        (("search", "--data", "iris", "--model", "smv"), "no model 'smv'; there are"),
        ((*_IRIS, "--method", "gird"), "no method 'gird'; there are"),
        ((*_IRIS, "--metric", "acuracy"), "no metric 'acuracy'; there are"),
        ((*_IRIS, "--metric", "log_loss"), "needs probabilities, which this model does not give"),
        ((*_IRIS, "--metric", "r2"), "a metric for regression"),
        ((*_IRIS, "--folds", "1"), "Folds must be a whole number from 2 to 50; got 1"),
        ((*_IRIS, "--folds", "five"), "invalid int value: 'five'"),
        ((*_IRIS, "--test-fraction", "0.9"), "must lie from 0 to 0.5; got 0.9"),
        ((*_IRIS, "--protocol", "grouped"), "need the column that names the groups"),
        ((*_IRIS, "--protocol", "time", "--column", "when"), "no column 'when'"),
        ((*_IRIS, "--trials", "0"), "above 0 trials; got 0"),
        ((*_IRIS, "--seconds", "-1"), "above 0 seconds; got -1"),
        ((*_IRIS, "--seconds", "nan"), "above 0 seconds; got nan"),
        ((*_IRIS, "--fits", "3"), "less than one trial, which takes 5"),
        ((*_IRIS, "--trials", "5", "--fits", "9"), "one budget; got trials and fits"),
        ((*_IRIS, "--workers", "0"), "from 1 to 256; got 0"),
        ((*_IRIS, "--seed", "-1"), "from 0 to 4294967295; got -1"),
        ((*_IRIS, "--fit-seconds", "0"), "above 0 seconds; got 0"),
        ((*_IRIS, "--pruning", "hyperband"), "invalid choice: 'hyperband'"),
        ((*_IRIS, "--pruning", "threshold"), "needs the option limit"),
        ((*_IRIS, "--pruning", "percentile", "--pruning-option", "percent=0"), "from 1 to 99; got 0"),
        ((*_IRIS, "--stop-when", "soon"), "invalid _stops_when value: 'soon'"),
        ((*_IRIS, "--stop-when", "-1"), "a number above 0; got -1"),
        ((*_IRIS, "--method", "grid", "--option", "resolution"), "given as NAME=VALUE; got 'resolution'"),
        ((*_IRIS, "--method", "grid", "--option", "resolution=0"), "a whole number from 1 to 1000; got 0"),
        ((*_IRIS, "--method", "grid", "--option", "size=3"), "no option 'size'; there are resolution"),
        ((*_IRIS, "--method", "grid", "--option", "single=12"), "single: write name=number"),
        ((*_IRIS, "--method", "grid", "--option", "single=nothing=4"), "There is no parameter 'nothing'"),
        ((*_IRIS, "--study", " "), "needs a name"),
        (("search", "--data", "branin", "--model", "svm"), "takes no model"),
        (("search", "--data", "branin", "--metric", "accuracy"), "scored by its height"),
        (("search", "--data", "branin", "--noise", "-1"), "at least 0; got -1"),
        (("studies", "show", "nothing"), "no study 'nothing'"),
        (("studies", "resume", "nothing"), "no study 'nothing'"),
        (("studies", "stop", "nothing"), "no study 'nothing'"),
        (("studies", "delete", "nothing", "--yes"), "no study 'nothing'"),
        (("studies", "rename", "nothing", "else"), "no study 'nothing'"),
        (("studies", "list", "--storage", "mysql://root:s3cr3t@host/db"), "is not supported. Give sqlite"),
        (("studies", "list", "--storage", "sqlite://"), "a database in memory"),
    ],
    ids=lambda x: " ".join(x[-2:]) if isinstance(x, tuple) else "",
)  # fmt: skip
def test_wrong_use_is_a_sentence(said, arguments, words):
    sentence = said(*arguments)
    assert words in sentence
    assert "s3cr3t" not in sentence


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (b"a,b\n1,2\n", (), "Say which column of table.csv is the target (--target on the command line): a, b"),
        (b"a,b\n1,2\n", ("--target", "c"), "table.csv has no column 'c' to be the target"),
        (b"a,b\n1,2\n1,2\n3,4\n3,4\n", ("--target", "b"), "table.csv has 4 rows with a target; at least 10 are"),
        (b"", ("--target", "b"), "table.csv"),
        (b"\x00\x01\x02" * 2000, ("--target", "b"), "table.csv"),
    ],
    ids=["no target", "unknown target", "short", "empty", "binary"],
)
def test_wrong_file_is_a_sentence(said, lab, content, arguments, words):
    table = lab.folder / "table.csv"
    table.write_bytes(content)
    assert words in said("search", "--data", str(table), "--model", "svm", *arguments)


def test_resume_without_a_run_or_with_a_wrong_budget_is_a_sentence(said, lab):
    storage = StudyStorage.open(lab.storage)
    storage.create("mine", direction="minimize", metric="height", space=LANDSCAPES["branin"].space)
    assert "has no run yet" in said("studies", "resume", "mine")
    assert "above 0 trials" in said("studies", "resume", "mine", "--trials", "0")
    assert "nothing is running" in said("studies", "stop", "mine")
    storage.close()


def test_folder_that_cannot_be_made_is_a_sentence(said, lab):
    blocked = lab.folder / "a file"
    blocked.touch()
    sentence = said(*_IRIS, "--trials", "1", "--data-folder", str(blocked / "data"), code=1)
    assert "cannot be made" in sentence
    assert "TUNING_LAB_DATA" in sentence


def test_storage_in_no_folder_or_in_place_of_one_is_a_sentence(said, lab):
    assert "is not there. Create it" in said("studies", "list", "--storage", str(lab.folder / "no" / "lab.db"), code=1)
    assert "is a folder" in said("studies", "list", "--storage", str(lab.folder), code=1)


def test_corrupt_database_is_a_sentence(said, lab):
    garbage = lab.folder / "garbage.db"
    garbage.write_bytes(b"this is no database" * 1000)
    assert "is not a database" in said("studies", "list", "--storage", str(garbage), code=1)
    damaged = lab.folder / "lab.db"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert "is damaged" in said("studies", "list", "--storage", str(damaged), code=1)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE tuninglab_schema SET version = 99", "was written by a newer Tuning Lab"),
        ("UPDATE alembic_version SET version_num = 'v99.0.0'", "was made by a newer version of Optuna"),
    ],
)
def test_newer_schema_is_a_sentence(said, lab, statement, words):
    with sqlite3.connect(lab.folder / "lab.db") as connection:
        connection.execute(statement)
    connection.close()
    assert words in said("studies", "list", code=1)


def test_unreachable_database_is_a_sentence_without_the_password(said):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"postgresql://lab:s3cr3t@127.0.0.1:{listener.getsockname()[1]}/lab"
        sentence = said("search", "--data", "branin", "--storage", url, code=1)
    assert "cannot be reached" in sentence
    assert "s3cr3t" not in sentence


def test_read_only_database_is_listed_and_changes_are_refused():
    folder = Path(tempfile.mkdtemp(prefix="tuning-lab-"))
    try:
        path = folder / "lab.db"
        storage = StudyStorage.open(str(path))
        make_study(storage, make_problem("branin"), "mine")
        storage.close()
        path.chmod(0o444)
        folder.chmod(0o777)
        outcomes = _as_ordinary_user(
            folder,
            ["studies", "list", "--json", "--storage", str(path)],
            ["studies", "show", "mine", "--json", "--storage", str(path)],
            ["studies", "rename", "mine", "yours", "--storage", str(path)],
            ["search", "--data", "branin", "--trials", "1", "--storage", str(path)],
        )
        assert [code for code, _ in outcomes] == [0, 0, 1, 1]
        assert '"study": "mine"' in outcomes[0][1]
        assert "error: " in outcomes[2][1]
        assert "is read-only. Give yourself permission" in outcomes[2][1]
        assert "is read-only. Give yourself permission" in outcomes[3][1]
    finally:
        folder.chmod(0o777)
        shutil.rmtree(folder)


def _as_ordinary_user(folder, *commands):
    """Runs commands one after the other in a child without the rights of root; their codes and what they said."""
    outcomes = []
    for i, command in enumerate(commands):
        said = folder / f"said-{i}"
        child = os.fork()
        if child == 0:
            code = 99
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                os.environ["TUNING_LAB_DATA"] = str(folder)
                with said.open("w") as sys.stdout, contextlib.redirect_stderr(sys.stdout):
                    code = main(command)
            finally:
                os._exit(code)
        outcomes.append((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.read_text()))
    return outcomes


def test_full_disk_is_a_sentence_and_what_was_recorded_stays(lab, moody_landscape):
    """A limit on the size of files stands for the full disk; the runner's patience with it is shortened."""
    with (moody_landscape / "sitecustomize.py").open("a") as customisation:
        customisation.write("import hpo_core.search.runner as runner\nrunner._STORAGE_PATIENCE_SECONDS = 0.5\n")
    limit = (lab.folder / "lab.db").stat().st_size + 400_000

    def full_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = lab.process("search", "--data", "branin", "--method", "random", "--trials", "3000", "--study", "mine",
                       "--json", preexec_fn=full_disk)  # fmt: skip
    _check_sentence(done, 1)
    assert "The storage sqlite:///" in done.err
    n_before = len(StudyStorage.open(lab.storage).study("mine").read())
    assert n_before > 0
    resumed = lab("studies", "resume", "mine", "--trials", str(n_before + 3), "--json").json
    assert resumed["n_complete"] == n_before + 3


def test_command_as_a_process_says_the_same(lab):
    done = lab.process("search", "--data", "irsi", "--model", "svm", "--json")
    _check_sentence(done, 2)
    assert "no bundled data set 'irsi'" in done.err
