"""Errands: asked for, held by one process, called off, and seen to have died."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import asdict

import psutil
import pytest

from hpo_core.errors import StudyBusyError
from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.search.errand import CalledOff, Errand, Progress
from hpo_core.studies.owner import SILENCE_SECONDS, Owner
from tests.moody_landscape import request


@pytest.fixture
def errand(studies):
    return Errand(make_study(studies, make_problem("wine", "svm")), "test")


def test_order_is_done_once_and_its_progress_is_seen(errand):
    assert errand.state().order == {}
    assert not errand.state().is_active
    errand.ask(amount=3)
    assert errand.state().is_active
    with pytest.raises(StudyBusyError, match="being done"):
        errand.ask(amount=4)
    assert errand.hold()
    errand.tell(Progress(done=1, total=3, share=0.3, doing="the first"))
    assert errand.state().progress == Progress(done=1, total=3, share=0.3, doing="the first")
    assert errand.state().order["amount"] == 3
    errand.release()
    assert not errand.state().is_active
    errand.ask(amount=5)
    assert errand.state().progress == Progress()
    assert errand.state().fault == ""


def test_fault_is_kept_until_the_next_order(errand):
    errand.ask()
    errand.hold()
    errand.release("It cannot be done.")
    assert (errand.state().fault, errand.state().is_active) == ("It cannot be done.", False)
    errand.ask()
    assert errand.state().fault == ""


def test_second_process_does_not_take_what_one_holds(errand):
    errand.ask()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        owner = Owner(Owner.of_this_process().host, other.pid, psutil.Process(other.pid).create_time())
        errand.study.set_attribute("errand:test:holder", asdict(owner))
        errand.study.set_attribute("errand:test:taken", errand.state().order["id"])
        assert errand.state().is_active
        assert not errand.hold()
        other.kill()
        other.wait()
    assert not errand.state().is_active
    assert errand.hold()


def test_order_that_no_process_takes_is_not_active_for_ever(errand):
    errand.ask()
    order = errand.state().order
    errand.study.set_attribute("errand:test:order", {**order, "time": order["time"] - SILENCE_SECONDS - 1})
    assert not errand.state().is_active


def test_called_off_ends_a_long_fit_and_what_is_asked_next_begins_anew(errand, one_worker):
    errand.ask()
    assert errand.hold()
    fit = request(seconds=60.0)
    threading.Timer(0.5, Errand(errand.study, "test").call_off).start()
    with pytest.raises(CalledOff):
        errand.score(one_worker, fit)
    assert errand.state().is_called_off
    errand.release()
    errand.ask()
    assert not errand.state().is_called_off
    errand.check()
