"""The workshop makes each thing once, in the background, and does not keep what failed."""

from __future__ import annotations

from threading import Event

import pytest

from hpo_core.errors import UsageError


def test_nothing_is_given_until_it_is_made_and_it_is_made_once(workshop):
    may_end, calls = Event(), []

    def make(report):
        calls.append(1)
        report("half of it is done")
        may_end.wait(30)
        return "made"

    assert workshop.get("a", make, patience=0.05) is None
    while not workshop.progress("a"):
        pass
    assert workshop.progress("a") == "half of it is done"
    may_end.set()
    assert workshop.get("a", make, patience=30) == "made"
    assert workshop.get("a", make) == "made"
    assert len(calls) == 1
    assert workshop.progress("unknown") == ""


def test_a_fault_is_raised_and_the_next_visit_tries_again(workshop):
    def fail(_report):
        raise UsageError("It cannot be made.")

    with pytest.raises(UsageError, match="cannot be made"):
        workshop.get("b", fail, patience=30)
    assert workshop.get("b", lambda _report: 1, patience=30) == 1


def test_the_oldest_are_dropped(workshop):
    for i in range(600):
        workshop.get(i, lambda _report: "first", patience=30)
    assert workshop.get(599, lambda _report: "second", patience=30) == "first"
    assert workshop.get(0, lambda _report: "second", patience=30) == "second"
