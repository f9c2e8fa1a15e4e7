"""`ensemble`: what it prints, and its faults in one sentence."""

import pytest


@pytest.fixture
def searched(lab):
    done = lab("search", "--data", "iris", "--model", "automl", "--method", "automl_portfolio", "--folds", "3",
               "--trials", "7", "--study", "flowers", "--json")  # fmt: skip
    assert done.code == 0, done.err
    return lab


def test_ensemble_is_printed_for_people_and_for_programs(searched):
    found = searched("ensemble", "flowers", "--top", "5", "--json").json
    assert found["n_candidates"] == 5
    assert sum(member["weight"] for member in found["members"]) == pytest.approx(1)
    assert found["score"] >= found["best_score"]
    assert "no part in the choice" in found["verdict"]
    text = searched("ensemble", "flowers", "--top", "5")
    assert text.code == 0
    assert "which flatters it" in text.out
    assert found["verdict"] in text.out
    assert found["members"][0]["configuration"]["family"] in text.out


def test_wrong_use_is_one_sentence(searched):
    for arguments, word in ((("nobody",), "nobody"), (("flowers", "--top", "0"), "at least one")):
        done = searched("ensemble", *arguments)
        assert done.code in (1, 2)
        assert done.out == ""
        assert word in done.err
        assert done.err.count("\n") == 1
