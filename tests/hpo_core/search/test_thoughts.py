"""What a method thinks travels with the trial: into the database, into a resumed search, through a kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import METHODS, SearchMethod, SpaceSampler, record_thought, thought_of
from hpo_core.problem import make_problem
from hpo_core.search import search
from hpo_core.space import Configuration, SearchSpace
from hpo_core.studies.run import Live, LiveTrial, Pending, to_json


@dataclass(frozen=True)
class _Counting(SearchMethod):
    key: ClassVar[str] = "counting"
    label: ClassVar[str] = "Counting"
    purpose: ClassVar[str] = "Counts the thoughts that it can read back."

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _CountingSampler(space, seed)


class _CountingSampler(SpaceSampler):
    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        n_before = sum(bool(thought_of(t)) for t in study.get_trials(deepcopy=False))
        record_thought(study, trial, stage="count")
        record_thought(study, trial, n_before=n_before)
        return self.space.from_unit(self.rng(trial).random(len(self.space)))


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS._items, "counting", _Counting())


@pytest.mark.usefixtures("counting")
def test_thoughts_are_recorded_and_read_back_by_a_search_that_goes_on(tmp_path: Path) -> None:
    problem = make_problem("branin")
    arguments: dict[str, Any] = {"method": "counting", "study": "thoughtful", "folder": tmp_path}
    search(problem, trials=4, **arguments)
    table = search(problem, trials=3, **arguments).read()
    assert table.thought(0) == {}  # the default is nobody's proposal
    assert [table.thought(row) for row in range(1, 7)] == [{"stage": "count", "n_before": n} for n in range(6)]


def test_trial_in_flight_is_queued_again_with_its_thought() -> None:
    flying = LiveTrial(configuration={"x": 1.0}, arm="tpe", fold_scores=(0.5,), started=1.0, thought={"stage": "a"})
    live = Live.from_json(to_json(Live(in_flight=(flying,))))
    assert live.in_flight[0].to_do(tries=1) == Pending({"x": 1.0}, "tpe", 1, {"stage": "a"})
