"""Optuna's own contract for samplers, run over ours.

Its cases for relative sampling ask for one search space after another; our samplers are made for one space and propose
in that, which tests/contracts covers. Here they meet parameters that their space does not have.
"""

from collections.abc import Callable

import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)

from hpo_core.methods import METHODS, SpaceSampler
from hpo_core.options import with_options
from hpo_core.space import Float, SearchSpace

SPACE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in ("first", "second")))

# Our own samplers; those of Optuna hold to its contract by themselves.
_OURS = [m for m in METHODS if not m.why_unavailable(SPACE) and isinstance(m.sampler(SPACE, 0), SpaceSampler)]


class TestOurSamplers(BasicSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture(params=[m.key for m in _OURS if not m.capabilities.is_multi_objective])
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        return lambda: METHODS[request.param].sampler(SPACE, 0)


class TestOurSamplersForSeveralObjectives(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture(params=[m.key for m in _OURS if m.capabilities.is_multi_objective])
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        return lambda: METHODS[request.param].sampler(SPACE, 0)


class TestResumableTPE(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: with_options(METHODS["tpe"], {"n_startup": 1}).sampler(SPACE, 0)
