"""`studies nested`, `open-locked` and `lock`: what they print, and their faults in one sentence."""

from __future__ import annotations

import pytest


@pytest.fixture
def searched(lab):
    done = lab("search", "--data", "wine", "--model", "svm", "--method", "random", "--trials", "5", "--study", "wines",
               "--json")  # fmt: skip
    assert done.code == 0, done.err
    found = done.json
    assert found["corrected_value"] <= found["best_value"]
    assert found["corrected_low"] <= found["corrected_value"] <= found["corrected_high"] <= 1
    return lab


def test_nested_is_printed_for_people_and_for_programs(searched):
    done = searched("studies", "nested", "wines", "--outer", "2", "--json")
    found = done.json
    assert (found["n_outer"], found["n_done"], found["method"], found["budget"]) == (2, 2, "random", "5 trials")
    assert found["score"] == pytest.approx(sum(fold["score"] for fold in found["folds"]) / 2)
    assert 0.5 < found["score"] <= 1
    assert "2 searches, about 54 fits" in done.err


def test_locked_rows_are_opened_with_a_yes_and_then_locked_for_good(searched):
    refused = searched("studies", "open-locked", "wines")
    assert refused.code == 2
    assert "there have been 0" in refused.err
    opened = searched("studies", "open-locked", "wines", "--trial", "3", "--yes", "--json").json
    assert [one["what"] for one in opened["made"]] == ["trial 3", "the default"]
    assert opened["looks"] == opened["made"]
    again = searched("studies", "open-locked", "wines", "--trial", "3", "--yes")
    assert again.code == 2
    assert "already, as trial 3" in again.err
    other = searched("studies", "open-locked", "wines", "--trial", "2", "--yes")
    assert "trial 2: accuracy" in other.out
    assert "3 looks at these rows so far:" in other.out
    assert "with --yes" in searched("studies", "lock", "wines").err
    assert searched("studies", "lock", "wines", "--yes", "--json").json["state"] == "locked for good"
    for arguments in (("lock",), ("open-locked", "--trial", "1")):
        done = searched("studies", arguments[0], "wines", *arguments[1:], "--yes")
        assert (done.code, done.err) == (2, "error: The rows were locked for good.\n")


def test_show_says_what_the_best_is_worth_on_new_rows(searched):
    text = searched("studies", "show", "wines").out
    assert "on new rows    about 0." in text
    assert "without the luck of picking (95 % interval" in text


def test_wrong_use_is_one_sentence(searched):
    searched("search", "--data", "branin", "--method", "random", "--trials", "3", "--study", "hills")
    for arguments, words in (
        (("nested", "wines", "--outer", "1"), "from 2 to 20"),
        (("nested", "hills"), "no rows to keep out"),
        (("nested", "nobody"), "nobody"),
        (("open-locked", "wines", "--trial", "99", "--yes"), "no finished trial 99"),
        (("open-locked", "hills", "--yes"), "no rows locked away"),
        (("lock", "hills", "--yes"), "no rows locked away"),
    ):
        done = searched("studies", *arguments)
        assert done.code in (1, 2)
        assert done.out == ""
        assert words in done.err
        assert done.err.count("\n") == 1
