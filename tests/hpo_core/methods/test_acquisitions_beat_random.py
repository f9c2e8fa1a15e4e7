"""Every acquisition, and the forest, against random search: paired by seed, on two landscapes."""

from __future__ import annotations

import functools

import optuna
import pytest
from scipy.stats import wilcoxon

from hpo_core.acquisition import ACQUISITIONS, THOMPSON
from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import METHODS, SearchMethod, propose
from hpo_core.options import with_options

SEEDS = range(6)
N_TRIALS = 30


def _regrets(method: SearchMethod, key: str) -> list[float]:
    """How far above the minimum the best of the trials lies, in the landscape's scale, for each seed."""
    landscape, found = LANDSCAPES[key], []
    for seed in SEEDS:
        study = optuna.create_study(sampler=method.sampler(landscape.space, seed))
        for _ in range(N_TRIALS):
            trial, configuration = propose(study, landscape.space)
            study.tell(trial, landscape.function(configuration))
        found.append((study.best_value - landscape.minimum) / landscape.scale)
    return found


@functools.cache
def _random(key: str) -> list[float]:
    return _regrets(METHODS["random"], key)


CONTESTANTS = {rule: ("gaussian_process", {"acquisition": rule}) for rule in ("mix", *ACQUISITIONS, THOMPSON)} | {
    "forest": ("random_forest_search", {}),
    "auto": ("auto", {}),
}


@pytest.mark.parametrize("name", CONTESTANTS)
def test_beats_random_on_two_landscapes(name: str) -> None:
    key, options = CONTESTANTS[name]
    method = with_options(METHODS[key], options)
    learned, random = (
        [r for at in ("branin", "hartmann6") for r in regrets(at)]
        for regrets in (functools.partial(_regrets, method), _random)
    )
    assert wilcoxon(learned, random, alternative="less").pvalue < 0.01
