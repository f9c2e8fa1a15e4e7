"""`duel`: the verdict for people, for programs and as a page, over one problem and over several."""

DUEL = ("duel", "--data", "wine", "--model", "naive_bayes", "--arm", "random", "--arm", "default", "--seeds", "2",
        "--trials", "5", "--finals", "1")  # fmt: skip


def test_verdict_is_printed_for_programs_and_written_as_a_page(lab, tmp_path):
    page = tmp_path / "verdict.html"
    done = lab(*DUEL, "--json", "--html", str(page), "--name", "<b>mine</b>", "--open-locked")
    assert done.code == 0, done.err
    (found,) = done.json["duels"]
    assert done.json["ranking"] is None
    assert found["is_final"]
    assert {arm["arm"] for arm in found["arms"]} == {"Random", "Default"}
    assert all(len(scores) == 5 for arm in found["arms"] for scores in arm["fresh_scores"])
    assert len(found["locked_rows"]) == 3
    assert all(0 < looked["score"] <= 1 for looked in found["locked_rows"])
    (against,) = found["against"]
    assert abs(sum(against["chances"].values()) - 1) < 1e-9
    text = page.read_text()
    assert "&lt;b&gt;mine&lt;/b&gt;" in text
    assert "<b>mine" not in text
    assert "http" not in text


def test_several_problems_are_a_suite_and_rank_the_arms(lab, tmp_path):
    page = tmp_path / "suite.html"
    also = ("--also", "iris:naive_bayes", "--also", "breast_cancer:naive_bayes", "--seeds", "1", "--trials", "3")
    done = lab(*DUEL, *also, "--name", "mine", "--html", str(page), "--fit-seconds", "60")
    assert done.code == 0, done.err
    assert "Mean ranks over 3 problems" in done.out
    assert "Friedman's test p = " in done.out
    assert "In pairs, signed ranks" in done.out
    assert "mine, iris naive_bayes" in done.out
    assert "mine, wine naive_bayes: random: searched" in done.err
    text = page.read_text()
    assert "<svg" in text
    assert "Mean rank" in text
    assert "http" not in text
    again = lab(*DUEL, *also, "--name", "mine")
    assert again.code == 2
    assert "There is a suite called 'mine' already." in again.err


def test_preset_of_landscapes_gives_programs_all_ranks(lab):
    few = ("--arm", "random", "--arm", "sobol", "--seeds", "1", "--trials", "2", "--finals", "0")
    done = lab("duel", "--preset", "landscapes", *few, "--json")
    assert done.code == 0, done.err
    assert len(done.json["duels"]) == done.json["ranking"]["problems"] == 7
    assert sum(done.json["ranking"]["mean_ranks"].values()) == 3
    (pair,) = done.json["ranking"]["pairs"]
    assert pair["arms"] == ["Random", "Sobol"]
    assert 0 < pair["p_value"] <= pair["p_holm"] <= 1


def test_wrong_use_is_one_sentence(lab):
    wrong = {
        ("--arm", "default"): "at least two arms",
        ("--arm", "random*x", "--arm", "tpe"): "METHOD*TIMES",
        ("--arm", "manual", "--arm", "tpe"): "on the page Duel",
        ("--arm", "tpe", "--arm", "nothing"): "nothing",
        ("--arm", "tpe", "--arm", "random", "--seeds", "0"): "1 to 20 seeds",
    }
    for arguments, word in wrong.items():
        done = lab("duel", "--data", "wine", "--model", "naive_bayes", *arguments)
        assert done.code in (1, 2)
        assert done.out == ""
        assert word in done.err
        assert done.err.count("\n") == 1
    for arguments in ((), ("--data", "wine", "--preset", "regression")):
        done = lab("duel", *arguments)
        assert done.code == 2
        assert "--data, or --preset" in done.err
