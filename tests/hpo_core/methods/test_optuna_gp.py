"""Optuna's GPSampler: offered where torch is installed, never imported elsewhere."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import optuna
import pytest

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, propose
from hpo_core.space import Float, SearchSpace

SPACE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))
HAS_TORCH = importlib.util.find_spec("torch") is not None


def test_listing_the_methods_does_not_load_torch() -> None:
    program = "import sys; from hpo_core.methods import METHODS; len(METHODS); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_torch_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torch" else find(name, *more))
    method = METHODS["optuna_gp"]
    assert method.why_unavailable(SPACE) == "not installed: pip install torch"
    with pytest.raises(UsageError, match="pip install torch"):
        method.sampler(SPACE, 0)


@pytest.mark.skipif(not HAS_TORCH, reason="needs torch, a gigabyte that the tests leave out")
def test_resumed_search_gives_the_same_trials_as_an_uninterrupted_one() -> None:
    def searched(n: int, history: list[optuna.trial.FrozenTrial]) -> optuna.Study:
        study = optuna.create_study(sampler=METHODS["optuna_gp"].sampler(SPACE, 0))
        study.add_trials(history)
        for _ in range(n):
            trial, c = propose(study, SPACE)
            study.tell(trial, (c["x"] - 0.3) ** 2 + (c["y"] - 0.6) ** 2)
        return study

    whole = searched(14, [])
    resumed = searched(7, whole.trials[:7])
    assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]
