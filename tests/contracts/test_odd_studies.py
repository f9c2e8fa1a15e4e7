"""Every plot opens every odd study: it draws it, or says in a sentence why it cannot."""

from __future__ import annotations

import json
import re

import pytest

from hpo_core.plots import LIVE, PLOTS, figure_json
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.table import TrialTable
from tests.odd_studies import ODD_STUDIES, add_odd_study


@pytest.fixture(scope="module")
def tables(prepared_file, tmp_path_factory) -> dict[str, TrialTable]:
    path = tmp_path_factory.mktemp("odd") / "odd.db"
    path.write_bytes(prepared_file.read_bytes())
    for name in ODD_STUDIES:
        add_odd_study(f"sqlite:///{path}", name)
    storage = StudyStorage.open(str(path))
    return {name: storage.study(name).read() for name in ODD_STUDIES}


@pytest.mark.parametrize("name", ODD_STUDIES)
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.key)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_plot_draws_an_odd_study_or_says_why_not(tables: dict[str, TrialTable], plot, name: str):
    table = tables[name]
    why = plot.why_unavailable(table)
    if why is not None:
        assert why.endswith(".")
        return
    data = plot.compute(table)
    figure = json.loads(figure_json(plot.draw(data, LIVE)))
    assert figure["data"]
    assert plot.alt(data).endswith(".")
    assert plot.caption(data).endswith(".")
    shown = {name: part for name, part in figure["layout"].items() if name not in ("uirevision", "meta")}
    assert not re.search(r"<(img|script)\b", json.dumps(shown))
    assert len(plot.numbers(data))
