"""optuna-dashboard shows what the lab has recorded."""

from __future__ import annotations

import json
import urllib.request
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from hpo_core import make_problem
from hpo_core.search import search
from hpo_core.studies.storage import StudyStorage

pytestmark = pytest.mark.filterwarnings("ignore")  # the dashboard's own


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture
def dashboard(optuna_storage):
    from optuna_dashboard import wsgi

    with make_server("127.0.0.1", 0, wsgi(optuna_storage), handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield lambda path: json.load(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}"))
        server.shutdown()
        thread.join()


def test_dashboard_lists_a_lab_study_with_its_trials(storage_url, dashboard, tmp_path):
    storage = StudyStorage.open(storage_url)
    study = search(make_problem("branin"), "random", trials=5, storage=storage, study="dashed", folder=tmp_path)
    (listed,) = dashboard("/api/studies")["study_summaries"]
    assert listed["study_name"] == "dashed"
    shown = dashboard(f"/api/studies/{listed['study_id']}?after=0")
    assert [t["values"][0] for t in shown["trials"]] == pytest.approx(study.read().values.tolist())
    assert shown["objective_names"] == ["height"]
