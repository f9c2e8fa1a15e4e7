"""One process at a time holds a piece of work, and a dead one holds nothing."""

import dataclasses

import psutil

from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.search.holder import hold, holder_of, release
from hpo_core.studies.owner import Owner


def test_of_two_processes_one_holds_it(studies):
    study, me = make_study(studies, make_problem("branin")), Owner.of_this_process()
    assert hold(study, "work")
    assert hold(study, "work")  # once more by the same
    assert holder_of(study, "work") == me
    first = Owner(me.host, 1, psutil.Process(1).create_time())
    study.set_attribute("work", dataclasses.asdict(first))
    assert not hold(study, "work")  # process 1 lives
    release(study, "work")
    assert holder_of(study, "work") == first  # and gives up what is its own
    study.set_attribute("work", dataclasses.asdict(Owner(me.host, 2**22, 0.0)))
    assert holder_of(study, "work") is None
    assert hold(study, "work")  # a dead one holds nothing
    release(study, "work")
    assert holder_of(study, "work") is None
