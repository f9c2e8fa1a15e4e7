"""What the best of a study is worth on new rows is the same wherever it is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import search

ROOT = Path(__file__).parents[2]
WORTH = re.compile(r'class="lab-new-rows" title="([^"]+)">([^<]+)<')


def _worths(page):
    assert not page.exception
    return {found.groups() for element in page.get("html") for found in WORTH.finditer(element.proto.body)}


@pytest.mark.parametrize("repeats", [1, 3])
def test_tune_and_studies_say_the_same(lab, tmp_path, repeats):
    problem = make_problem("iris", "svm", protocol=Protocol(folds=3, repeats=repeats))
    study = search(problem, "random", trials=12, folder=tmp_path)
    tune = AppTest.from_file(str(ROOT / "pages" / "tune.py"), default_timeout=60)
    tune.query_params["study"] = study.name
    on_tune = _worths(tune.run())
    on_studies = _worths(AppTest.from_file(str(ROOT / "pages" / "studies.py"), default_timeout=60).run())
    assert len(on_studies) == 1
    assert on_tune == on_studies
