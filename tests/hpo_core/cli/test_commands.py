"""Every command: what it prints, the code it ends with, and how one steers a search of another process."""

import json
import os
import signal

import pytest

from hpo_core.datasets import DATASETS
from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import METHODS
from hpo_core.metrics import METRICS
from hpo_core.models import MODELS
from hpo_core.problem import make_problem
from hpo_core.pruning import PRUNING
from hpo_core.studies.storage import StudyStorage
from tests.moody_landscape import fits_done, is_gone, wait_until

_PROMISED = {
    "study", "storage", "method", "seed", "metric", "direction", "n_trials", "n_complete", "n_pruned", "n_failed",
    "best_number", "best_value", "best_params", "default_value", "seconds",
}  # fmt: skip


def _sentence(done, code, *words):
    """The command ended with this code and one sentence of fault."""
    assert done.code == code, done
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("datasets", DATASETS.keys),
        ("models", MODELS.keys),
        ("methods", METHODS.keys),
        ("pruning", PRUNING.keys),
        ("metrics", tuple(m.name for m in METRICS)),
    ],
)
def test_lists_name_everything_for_people_and_for_programs(lab, command, keys):
    listed = lab(command, "--json").json
    assert tuple(row["key"] for row in listed) == keys
    assert all(row["label"] for row in listed)
    text = lab(command)
    assert (text.code, text.err) == (0, "")
    assert [line.split()[0] for line in text.out.splitlines()] == ["key", *keys]


def test_landscapes_are_listed(lab):
    assert {row["key"] for row in lab("landscapes", "--json").json} == set(LANDSCAPES.keys)


def test_search_prints_one_object_and_the_study_is_there(lab):
    done = lab.process(
        "search", "--data", "iris", "--model", "svm", "--metric", "balanced_accuracy", "--folds", "3",
        "--method", "random", "--trials", "4", "--seed", "7", "--workers", "2", "--study", "mine", "--json",
    )  # fmt: skip
    found = done.json
    assert (done.code, done.err) == (0, "")
    assert set(found) >= _PROMISED
    assert found["storage"] == lab.storage
    expected = {
        "study": "mine", "method": "random", "seed": 7, "metric": "balanced_accuracy", "direction": "maximize",
        "n_trials": 4, "n_complete": 4, "n_pruned": 0, "n_failed": 0,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    table = StudyStorage.open(lab.storage).study("mine").read()
    assert found["best_value"] == table.values.max()
    assert found["default_value"] == table.values[0]
    assert found["best_params"] == table.configuration(table.best())
    problem = make_problem("iris", "svm", "balanced_accuracy")
    assert problem.space.check(found["best_params"])
    shown = lab.process("studies", "show", "mine", "--json").json
    assert {key: shown[key] for key in expected} == expected
    assert len(shown["trials"]) == 4
    (row,) = lab("studies", "list", "--json").json
    assert (row["study"], row["state"], row["n_trials"], row["best_value"]) == (
        "mine",
        "finished",
        4,
        found["best_value"],
    )


def test_search_tells_a_person_what_it_found(lab):
    done = lab("search", "--data", "branin", "--method", "grid", "--option", "resolution=2", "--trials", "50")
    assert done.code == 0
    assert "Branin · height" in done.err
    assert "Grid: 4 configurations in all." in done.err
    assert "finished: 5 complete, 0 pruned, 0 failed" in done.out
    assert "The grid is finished" in done.out
    for words in ("best     height", "default  height", "  x = ", "study    branin-1 in sqlite"):
        assert words in done.out
    for text in (lab("studies", "show", "branin-1").out, lab("studies", "list").out):
        assert "branin-1" in text


def test_search_goes_on_in_a_study_of_the_same_problem_and_refuses_another(lab):
    first = ("search", "--data", "branin", "--trials", "3", "--study", "one", "--json")
    assert lab(*first, "--method", "random").json["n_trials"] == 3
    assert lab(*first, "--method", "sobol").json["n_trials"] == 6
    other = lab("search", "--data", "ackley", "--trials", "3", "--study", "one")
    assert other.code == 2
    assert "'one' is about another problem (Branin · height)" in other.err


def test_file_is_searched_from_any_folder(lab, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text(
        "age,town,bought\n" + "".join(f"{20 + i % 50},{'AB'[i % 2]},{'yn'[i % 3 == 0]}\n" for i in range(80))
    )
    command = (
        "search",
        "--data",
        os.path.relpath(table),
        "--target",
        "bought",
        "--model",
        "decision_tree",
        "--folds",
        "3",
    )
    found = lab(*command, "--method", "random", "--trials", "3", "--pruning", "percentile", "--json")
    assert found.json["n_complete"] >= 1


@pytest.mark.parametrize("budget", [("--fits", "7"), ("--seconds", "1.5")])
def test_budgets_of_fits_and_seconds(lab, budget):
    found = lab(
        "search", "--data", "branin", "--noise", "0.1", "--folds", "3", "--method", "random", *budget, "--json"
    ).json
    if budget[0] == "--fits":
        assert found["n_trials"] == 2
    else:
        assert 1.5 <= found["seconds"] < 20
    assert found["state"] == "finished"


def test_search_that_finds_nothing_ends_with_one_and_says_why(lab):
    table = lab.folder / "one_sided.csv"
    table.write_text("a,y\n" + "".join(f"{i},{'no' if i < 40 else 'yes'}\n" for i in range(80)))
    done = lab("search", "--data", str(table), "--target", "y", "--model", "svm", "--protocol", "time", "--folds", "3",
               "--trials", "2", "--method", "random", "--json")  # fmt: skip
    assert done.code == 1
    assert (done.json["best_value"], done.json["n_failed"]) == (None, 2)
    assert "could not be fitted" in done.json["reasons"][0]


def test_studies_are_renamed_and_deleted(lab):
    lab("search", "--data", "branin", "--method", "random", "--trials", "2", "--study", "old")
    assert lab("studies", "rename", "old", "new", "--json").json == {"study": "new", "state": "renamed"}
    assert lab("studies", "show", "new", "--json").json["n_trials"] == 2
    _sentence(lab("studies", "show", "old"), 2, "no study 'old'")
    assert lab("studies", "delete", "new", "--yes").out == "new: deleted.\n"
    assert lab("studies", "list", "--json").json == []
    assert "No studies in" in lab("studies", "list").out


def test_second_process_pauses_resumes_and_stops_a_search(lab):
    with lab.running(*_slow_search(lab)) as search:
        storage = StudyStorage.open(lab.storage)
        wait_until(lambda: storage.has("slow") and len(storage.study("slow").read()) >= 2, "two trials")
        study = storage.study("slow")
        assert lab("studies", "pause", "slow", "--json").json == {"study": "slow", "state": "paused"}
        wait_until(lambda: study.runs.current().state == "paused", "the pause")
        assert lab("studies", "list", "--json").json[0]["state"] == "paused"
        _sentence(lab("studies", "delete", "slow", "--yes"), 1, "Stop the run first")
        n_paused = len(study.read())
        assert lab("studies", "resume", "slow", "--trials", "5000", "--json").json["state"] == "running"
        wait_until(lambda: len(study.read()) > n_paused, "a trial after the pause")
        assert study.runs.current().budget.amount == 5000
        assert lab("studies", "stop", "slow").out == "slow: stopped.\n"
        out, err = search.communicate(timeout=60)
    assert search.returncode == 0
    assert json.loads(out)["state"] == "stopped"
    assert err == ""
    _sentence(lab("studies", "pause", "slow"), 2, "nothing is running")


def _slow_search(lab, *more):
    """A search whose fits are real and short, with far more of them than any test waits for."""
    return ("search", "--data", "iris", "--model", "random_forest", "--folds", "2", "--method", "random",
            "--study", "slow", "--trials", "3000", "--json", *more)  # fmt: skip


def test_interrupt_of_the_whole_terminal_stops_in_order_and_prints_the_result(lab):
    with lab.running(*_slow_search(lab, "--workers", "2")) as search:
        storage = StudyStorage.open(lab.storage)
        wait_until(lambda: storage.has("slow") and len(storage.study("slow").read()) >= 2, "two trials")
        os.killpg(search.pid, signal.SIGINT)
        out, err = search.communicate(timeout=60)
    found = json.loads(out)
    assert (search.returncode, err, found["state"]) == (0, "", "stopped")
    assert found["n_failed"] == 0
    assert storage.study("slow").runs.current().state == "stopped"


def test_interrupt_before_the_search_has_begun_is_a_sentence(lab):
    with lab.running(*_slow_search(lab)) as search:
        wait_until(lambda: _has_loaded_python(search.pid), "the start of the process")
        os.kill(search.pid, signal.SIGINT)
        _, err = search.communicate(timeout=60)
    assert "Traceback" not in err
    assert search.returncode in (130, -signal.SIGINT, 0)


def _has_loaded_python(pid):
    with open(f"/proc/{pid}/maps") as maps:
        return "numpy" in maps.read()


def test_killed_search_is_completed_by_resume(lab):
    with lab.running(*_slow_search(lab)) as search:
        storage = StudyStorage.open(lab.storage)
        wait_until(lambda: storage.has("slow") and len(storage.study("slow").read()) >= 3, "three trials")
        search.kill()
        search.wait()
    study = storage.study("slow")
    n_before = int(study.read().is_complete.sum())
    shown = lab("studies", "show", "slow", "--json").json
    assert (shown["state"], shown["n_complete"]) == ("died", n_before)
    resumed = lab.process("studies", "resume", "slow", "--trials", str(n_before + 4), "--json").json
    assert (resumed["state"], resumed["n_complete"]) == ("finished", n_before + 4)
    assert study.read().numbers.tolist() == list(range(len(study.read())))


def test_background_search_outlives_its_command(lab):
    started = lab(
        "search", "--data", "branin", "--method", "random", "--trials", "5", "--study", "far", "--background", "--json"
    )
    assert started.json == {"study": "far", "storage": lab.storage, "state": "starting"}
    study = StudyStorage.open(lab.storage).study("far")
    run = wait_until(lambda: (r := study.runs.current()) and r.state == "finished" and r, "the end of the search")
    assert len(study.read()) == 5
    wait_until(lambda: is_gone(run.owner.pid), "the end of the runner")
    more = lab("studies", "resume", "far", "--trials", "8", "--background", "--json").json
    assert more["state"] == "starting"
    run = wait_until(lambda: (r := study.runs.current()) and r.state == "finished" and r, "the end of the search")
    assert len(study.read()) == 8
    wait_until(lambda: is_gone(run.owner.pid), "the end of the runner")


def test_postgresql_serves_every_command_and_no_password_is_printed(lab, postgresql_url):
    from tests.conftest import PASSWORD

    said = []
    for command in (
        ("search", "--data", "branin", "--method", "random", "--trials", "3", "--study", "far"),
        ("search", "--data", "branin", "--method", "random", "--trials", "2", "--study", "far", "--json"),
        ("studies", "show", "far"),
        ("studies", "list", "--json"),
        ("studies", "resume", "far", "--trials", "4", "--json"),
        ("studies", "rename", "far", "near"),
        ("studies", "delete", "near", "--yes"),
    ):
        run = lab.process if command[0] == "search" else lab
        done = run(*command, "--storage", postgresql_url)
        assert done.code == 0, done.err
        said += [done.out, done.err]
    wrong = lab("studies", "list", "--storage", postgresql_url.replace("lab:", "lab:not-the-"))
    _sentence(wrong, 1, "refused the user name or the password")
    for text in (*said, wrong.err, *(p.read_text() for p in lab.folder.glob("*.log"))):
        assert PASSWORD not in text
        assert PASSWORD.replace(" ", "%20") not in text


def test_same_search_again_does_no_fit_anew(lab, moody_landscape):
    command = ("search", "--data", "moody", "--method", "grid", "--option", "resolution=1", "--trials", "1", "--json")
    assert lab(*command).json["n_trials"] == 1
    n_done = len(fits_done(lab.folder))
    assert n_done == 1
    assert lab(*command).json["n_trials"] == 1
    assert len(fits_done(lab.folder)) == n_done


def test_output_into_a_closed_pipe_is_no_fault(lab):
    with lab.running("models", "--json") as listing:
        listing.stdout.close()
        listing.stdout = None
        assert "Traceback" not in listing.stderr.read()


def test_suggest_says_what_comes_next_and_tries_nothing(lab):
    search = ("search", "--data", "branin", "--study", "mine", "--method", "random", "--seed", "3", "--json")
    lab(*search, "--trials", "9")
    suggestion = lab("suggest", "mine", "--method", "random", "--seed", "3", "--json").json
    assert set(suggestion) >= {"study", "method", "configuration", "mean", "sd", "why", "trust"}
    assert suggestion["basis"] == "study"
    text = lab("suggest", "mine", "--method", "random", "--seed", "3")
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith("Random would try next:\n")
    for words in ("  x = ", "predicted  height ", "±"):
        assert words in text.out
    assert len(StudyStorage.open(lab.storage).study("mine").read()) == 9
    assert lab("studies", "resume", "mine", "--trials", "10", "--json").json["n_trials"] == 10
    table = StudyStorage.open(lab.storage).study("mine").read()
    assert table.configuration(9) == suggestion["configuration"]


def test_suggest_without_its_study_is_a_sentence(lab):
    _sentence(lab("suggest", "nothing"), 2, "no study 'nothing'")
