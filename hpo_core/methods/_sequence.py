"""Search along a sequence that fills the unit cube evenly; the trial's number is the position in the sequence."""

from __future__ import annotations

from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpo_core.methods import SpaceSampler
from hpo_core.space import Configuration, SearchSpace


class SequenceSampler(SpaceSampler):
    """Reads one point a trial from a sequence with at least one dimension for each parameter."""

    is_multi_objective = True

    def __init__(self, space: SearchSpace, seed: int, sequence: qmc.QMCEngine) -> None:
        super().__init__(space, seed)
        self._sequence = sequence

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        if trial.number < self._sequence.num_generated:
            self._sequence.reset()
        if n_ahead := trial.number - self._sequence.num_generated:
            self._sequence.fast_forward(n_ahead)
        return self.space.from_unit(self._sequence.random(1)[0][: len(self.space)])
