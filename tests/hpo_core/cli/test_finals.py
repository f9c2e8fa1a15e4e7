"""`studies finals`: who wins on fresh folds, for people and for programs."""

import pytest

SEARCH = ("search", "--data", "wine", "--model", "naive_bayes", "--folds", "3", "--study", "w")


@pytest.fixture
def searched(lab):
    done = lab(*SEARCH, "--method", "random", "--trials", "6", "--json")
    assert done.code == 0, done.err
    assert done.json["finals"] is None
    return lab


def test_finals_are_printed_for_people_and_for_programs(searched):
    found = searched("studies", "finals", "w", "--top", "3", "--repeats", "2", "--json").json
    assert found["study"] == "w"
    assert found["repeats"] == 2
    assert all(len(one["fresh_scores"]) == 6 for one in found["finalists"])
    assert sum(one["is_leader"] for one in found["finalists"]) == 1
    assert "the default" in [one["name"] for one in found["finalists"]]
    means = [one["fresh_mean"] for one in found["finalists"]]
    assert means == sorted(means, reverse=True)
    text = searched("studies", "finals", "w", "--top", "3", "--repeats", "2")
    assert text.code == 0
    assert found["verdict"][0] in text.out
    assert "6 fresh folds each (3-fold, drawn 2 ×)" in text.out
    shown = searched("studies", "show", "w", "--json").json
    assert shown["finals"]["verdict"] == found["verdict"]


def test_trials_can_be_named(searched):
    found = searched("studies", "finals", "w", "--trial", "3", "--repeats", "1", "--json").json
    assert 3 in [one["trial"] for one in found["finalists"]]
    assert len(found["finalists"]) <= 3


def test_auto_ends_with_its_best_three_and_says_so_beforehand(lab):
    done = lab(*SEARCH, "--method", "auto", "--trials", "4")
    assert done.code == 0, done.err
    assert "scored again on fresh folds at the end, up to 30 fits beyond the budget" in done.err
    assert "finals   " in done.out
    off = lab(*SEARCH[:-1], "x", "--method", "auto", "--trials", "4", "--option", "finalists=0", "--json")
    assert off.json["finals"] is None


def test_wrong_use_is_one_sentence(searched):
    searched("search", "--data", "branin", "--method", "random", "--trials", "2", "--study", "b")
    wrong = {
        ("nobody",): "nobody",
        ("b",): "looks the same each time",
        ("w", "--top", "0"): "From 1 to 30 finalists",
        ("w", "--trial", "77"): "no trial 77",
        ("w", "--repeats", "0"): "from 1 to 20 times",
        ("w", "--workers", "0"): "Workers must be",
        ("w", "--cancel"): "No finalists round",
    }
    for arguments, word in wrong.items():
        done = searched("studies", "finals", *arguments)
        assert done.code in (1, 2)
        assert done.out == ""
        assert word in done.err
        assert done.err.count("\n") == 1
