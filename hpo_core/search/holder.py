"""Which process is at a piece of work of a study: one at a time, and a dead one holds nothing."""

from __future__ import annotations

import time
from dataclasses import asdict

from hpo_core.studies.owner import Owner
from hpo_core.studies.study import Study

_SETTLE_SECONDS = 0.5


def holder_of(study: Study, attribute: str) -> Owner | None:
    """The process that holds what this attribute stands for; None where nobody does, or a dead one did."""
    held = study.attributes.get(attribute)
    owner = None if held is None else Owner(**held)
    return owner if owner is not None and owner.is_alive() else None


def hold(study: Study, attribute: str) -> bool:
    """Makes this process the holder; whether no other one is at it.

    Of several that try at the same moment the last to write has it: each looks again a moment later.
    """
    mine = Owner.of_this_process()
    if holder_of(study, attribute) not in (None, mine):
        return False
    study.set_attribute(attribute, asdict(mine))
    time.sleep(_SETTLE_SECONDS)
    return holder_of(study, attribute) == mine


def release(study: Study, attribute: str) -> None:
    """Gives it up, if this process has it."""
    if holder_of(study, attribute) == Owner.of_this_process():
        study.set_attribute(attribute, None)
