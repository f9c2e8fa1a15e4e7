"""Model-based search with a random forest: SMAC's idea."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial
from sklearn.tree import ExtraTreeRegressor

from hpo_core.acquisition import log_expected_improvement
from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler, Strengths, record_thought
from hpo_core.methods._candidates import Candidates, without_disasters
from hpo_core.methods._reasons import model_thought
from hpo_core.options import option
from hpo_core.space import Categorical, Configuration, SearchSpace
from hpo_core.warping import Prediction, Warp

Floats = NDArray[np.float64]

# Where an inactive parameter is put: off its range, so that one cut tells active from inactive.
_INACTIVE = -1.0
_LEAST_SD = 1e-6


@dataclass(frozen=True)
class RandomForestSearch(SearchMethod):
    """A forest over the whole space, and the candidate whose expected improvement under it is largest."""

    key: ClassVar[str] = "random_forest_search"
    label: ClassVar[str] = "Random-forest surrogate"
    purpose: ClassVar[str] = (
        "Fits regression trees to the results, and tries where their mean and their discord promise."
    )
    when_to_use: ClassVar[str] = (
        "Many categories, conditions, and surfaces with steps, which a smooth model handles badly. On smooth spaces of "
        "few numbers a Gaussian process needs fewer trials."
    )
    source: ClassVar[str] = (
        "Hutter, Hoos and Leyton-Brown (2011), Sequential Model-Based Optimization for General Algorithm "
        "Configuration; random cuts after Geurts, Ernst and Wehenkel (2006), Extremely randomized trees"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=15, most=1000, surface="rough")
    cost: ClassVar[str] = "Some 40 ms a trial at 100 trials, 60 ms at 1,000."

    n_initial: int = option(
        0,
        "Trials first",
        "Random trials before the first forest; 0 takes one more than there are parameters, and 8 at least.",
        low=0,
        high=1000,
    )
    n_trees: int = option(
        16, "Trees", "Trees of the forest; more give a steadier doubt and cost more.", low=2, high=200
    )
    random_every: int = option(
        5,
        "Random every",
        "Each so many-th trial is drawn at random, in case the forest is wrong; 0: none.",
        low=0,
        high=100,
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _ForestSampler(self, space, seed)


class Forest:
    """Regression trees with random cuts over points of the unit cube, and what they predict together."""

    def __init__(self, space: SearchSpace, units: Floats, targets: Floats, *, n_trees: int = 16, seed: int = 0) -> None:
        self._categories = {c: len(p.choices) for c, p in enumerate(space.parameters) if isinstance(p, Categorical)}
        self._numbers = [c for c, p in enumerate(space.parameters) if not isinstance(p, Categorical)]
        columns, rng = self._columns(units), np.random.default_rng(seed)
        self._trees = [_tree(columns, targets, rng) for _ in range(n_trees)]

    def predict(self, units: Floats) -> Prediction:
        """Mean of the trees at points of shape (m, d); their variance is that between trees plus that within leaves."""
        columns = self._columns(units)
        leaves = [(tree, tree.apply(columns)) for tree in self._trees]
        means = np.array([tree.value[leaf, 0, 0] for tree, leaf in leaves])
        within = np.mean([tree.impurity[leaf] for tree, leaf in leaves], axis=0)
        return Prediction(means.mean(axis=0), np.sqrt(np.maximum(means.var(axis=0) + within, _LEAST_SD**2)))

    def _columns(self, units: Floats) -> NDArray[np.float32]:
        """One column for a number, one for each category, as scikit-learn's trees take them."""
        columns = [np.nan_to_num(units[:, self._numbers], nan=_INACTIVE)]
        for column, n in self._categories.items():
            index = np.floor(np.nan_to_num(units[:, column], nan=_INACTIVE) * n)
            columns.append(np.minimum(index, n - 1)[:, None] == np.arange(n))
        columns.append(np.zeros((len(units), 1)))  # trees need a column, also of a space without parameters
        return np.ascontiguousarray(np.hstack(columns), dtype=np.float32)


def _tree(columns: NDArray[np.float32], targets: Floats, rng: np.random.Generator) -> Any:
    """One tree on a bootstrap sample. scikit-learn's own forests spend four times as long on copying and checking."""
    n = len(targets)
    weights = np.bincount(rng.integers(n, size=n), minlength=n).astype(float)
    tree = ExtraTreeRegressor(max_features=0.8, min_samples_split=3, random_state=int(rng.integers(2**31)))
    return tree.fit(columns, targets, sample_weight=weights, check_input=False).tree_


class _ForestSampler(SpaceSampler):
    def __init__(self, method: RandomForestSearch, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._method = method
        self._n_initial = method.n_initial or max(8, len(space) + 1)
        self._history = History(space)
        self._candidates = Candidates(space)

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        rng = self.rng(trial)
        why = self._why_random(trial)
        point, thought = (None, {}) if why else self._most_promising(study, rng)
        if point is None:
            thought = {"stage": "random", "why": why or "All that the forest weighed had been tried."}
            point = self._unseen(rng)
        record_thought(study, trial, **thought)
        return self.space.from_unit(np.nan_to_num(point, nan=0.5))

    def _why_random(self, trial: FrozenTrial) -> str | None:
        n_known = len(self._history.observations)
        if n_known < 2 or n_known + len(self._history.running) < self._n_initial:
            return f"One of {self._n_initial} random trials before the first forest."
        every = self._method.random_every
        if every and trial.number % every == every - 1:
            return f"Every {every}. trial is drawn at random, in case the forest is wrong."
        return None

    def _unseen(self, rng: np.random.Generator) -> Floats:
        draws = self._candidates.anywhere(100, rng)
        return next((point for point in draws if not self._history.has_seen(point)), draws[0])

    def _most_promising(self, study: Study, rng: np.random.Generator) -> tuple[Floats | None, dict[str, Any]]:
        """The point to try, None when all have been tried, and what to record of it."""
        known = self._history.observations
        units, values = np.array([o.point for o in known]), np.array([o.value for o in known])
        best = float(values.min())
        values = without_disasters(values, self._n_initial)
        warp = Warp.learned(values, "yeo_johnson")
        targets = warp.forward(values)
        forest = self._imagining(units, targets, int(rng.integers(2**31)))
        incumbent = float(targets.min())

        def promise(points: Floats) -> Floats:
            return log_expected_improvement(forest.predict(points), incumbent)

        ranked = self._candidates.ranked(promise, units[np.argsort(targets, kind="stable")[:10]], rng)
        point = next((point for point in ranked if not self._history.has_seen(point)), None)
        if point is None:
            return None, {}
        at = point[None]
        mean, sd = warp.moments(*forest.predict(at))
        return point, model_thought(study, mean[0], sd[0], 0.0, promise(at)[0], "log_ei", best)

    def _imagining(self, units: Floats, targets: Floats, seed: int) -> Forest:
        """The forest as if the trials in flight had come out as it predicts, so that they are not proposed again."""
        size: dict[str, Any] = {"n_trees": self._method.n_trees, "seed": seed}
        forest = Forest(self.space, units, targets, **size)
        if not self._history.running:
            return forest
        flying = np.array(self._history.running)
        means = forest.predict(flying).mean
        return Forest(self.space, np.vstack([units, flying]), np.concatenate([targets, means]), **size)


RANDOM_FOREST_SEARCH = RandomForestSearch()
