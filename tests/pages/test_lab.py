"""What a server shares: tables are read once for all, and a slow study holds up nobody else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hpo_core.studies.study import Study
from tests.finished_trials import finished, new_study


class _Slow(Study):
    """A study whose first look lasts until it is let go."""

    def read(self, *arguments, **named):
        self.is_reading.set()
        assert self.may_go.wait(60)
        return super().read(*arguments, **named)


def test_table_is_the_same_for_all_until_there_is_something_new(lab):
    study = new_study(lab.storage)
    study.record(finished(0))
    first = lab.table_of(study)
    assert lab.table_of(lab.storage.study(study.name)) is first
    study.record(finished(1))
    assert len(lab.table_of(study)) == 2


def test_first_look_at_a_large_study_holds_up_nobody_at_another(lab):
    slow, other = new_study(lab.storage, "slow"), new_study(lab.storage, "other")
    slow.__class__, slow.is_reading, slow.may_go = _Slow, threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as thread:
        look = thread.submit(lab.table_of, slow)
        assert slow.is_reading.wait(60)
        assert len(lab.table_of(other)) == 0
        assert not look.done()
        slow.may_go.set()
        assert len(look.result(60)) == 0
