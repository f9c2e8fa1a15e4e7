"""The page that compares studies: what it needs, what it judges, and what it refuses to judge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState
from streamlit.testing.v1 import AppTest

from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.studies.trial import FinishedTrial

PAGE = Path(__file__).parents[2] / "pages" / "compare.py"


def _filled(lab, name, level, data="branin", count=5):
    problem = make_problem(data, noise=0.1)
    study = make_study(lab.storage, problem, name)
    rng = np.random.default_rng(count)
    trials = []
    for i in range(count):
        folds = tuple((level + rng.normal(0, 0.01, problem.n_folds)).tolist())
        trials.append(
            FinishedTrial(
                configuration=problem.space.from_unit(rng.uniform(size=2)),
                state=TrialState.COMPLETE,
                value=problem.value(folds),
                arm="manual",
                started=1.7e9 + i,
                completed=1.7e9 + i + 0.5,
                fold_scores=folds,
            )
        )
    study.record(*trials)
    return study


def _opened(*names):
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    page.query_params["study"] = list(names)
    page.run()
    assert not page.exception
    return page


def _texts(page):
    return "".join(element.proto.body for element in page.get("html"))


@pytest.mark.parametrize("names", [(), ("only",), ("only", "only"), ("only", "nowhere")])
def test_fewer_than_two_studies_lead_back_to_the_list(lab, names):
    _filled(lab, "only", 1.0)
    page = _opened(*names)
    assert "Nothing to compare yet" in _texts(page)
    assert bool(page.warning) == ("nowhere" in names)


def test_clear_lead_is_better_also_without_luck(lab):
    _filled(lab, "low", 1.0)
    _filled(lab, "high", 5.0)
    texts = _texts(_opened("high", "low"))
    assert "Beyond noise, low is better than high" in texts
    assert texts.count("▲ better") == 2
    assert "best within 25 fits" in texts


def test_different_problems_get_no_verdict_and_no_chart(lab):
    _filled(lab, "here", 1.0)
    _filled(lab, "there", 1.0, data="ackley")
    page = _opened("here", "there")
    assert "different data (branin, ackley)" in _texts(page)
    assert "lab-verdict" not in _texts(page)
    assert [s.value for s in page.subheader] == ["How do their best trials differ?"]


def test_study_without_a_value_is_named_and_the_others_stay(lab):
    for name in ("a", "b"):
        _filled(lab, name, 1.0)
    make_study(lab.storage, make_problem("branin", noise=0.1), "empty")
    page = _opened("empty", "a", "b")
    assert "No finished trial yet in empty" in page.info[0].value
    assert "within noise" in _texts(page)


def test_link_of_a_best_trial_puts_the_sliders_there(lab):
    study = _filled(lab, "a & b", 1.0)
    _filled(lab, "c", 1.0)
    table = study.read()
    best = table.configuration(table.best())
    (name, value), *_ = best.items()
    assert f"study=a+%26+b&amp;p.{name}={value}" in _texts(_opened("a & b", "c"))


def test_seventh_study_is_left_out_and_said(lab):
    for i in range(7):
        _filled(lab, f"s{i}", 1.0)
    page = _opened(*(f"s{i}" for i in range(7)))
    assert "At most 6" in page.warning[0].value
    assert "s6" not in _texts(page)
