"""What a suite may be made of: ready-made sets of problems, and what one costs before it is begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpo_core.datasets import DATASETS
from hpo_core.landscapes import LANDSCAPES
from hpo_core.models import MODELS
from hpo_core.problem import ProblemSpec
from hpo_core.search.duel import DEFAULT, DuelArm, suited_finals
from hpo_core.search.finalists import folds_of_draw, why_no_fresh_folds
from hpo_core.studies.run import Budget

_GUESS = {1: 0.02, 2: 0.2, 3: 1.0}  # seconds of a fit, by what a family says that one costs


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of problems that go together.

    Attributes:
        key, label: On the command line, and on screen.
        specs: The problems.
    """

    key: str
    label: str
    specs: tuple[ProblemSpec, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a suite will spend at most; pruning spends less.

    Attributes:
        n_searches: By machine.
        n_fits: Whole fits, those on fresh folds included; those alone where the budget is in seconds.
        n_final_fits: Of them those on fresh folds.
        seconds: Of all searches one after the other: what the budget says, else a guess from what fits of such models
            cost on small data.
        is_guess: Whether the seconds are guessed.
    """

    n_searches: int
    n_fits: int
    n_final_fits: int
    seconds: float
    is_guess: bool


def _specs(*pairs: str) -> tuple[ProblemSpec, ...]:
    return tuple(ProblemSpec(data=data, model=model) for data, _, model in (pair.partition(":") for pair in pairs))


PRESETS = (
    Preset(
        "classification",
        "Small classification",
        _specs(
            "iris:svm",
            "wine:svm",
            "breast_cancer:logistic_regression",
            "moons:nearest_neighbours",
            "circles:decision_tree",
            "imbalanced:decision_tree",
            "wide_and_short:logistic_regression",
        ),
    ),
    Preset(
        "regression",
        "Regression",
        _specs(
            "diabetes:elastic_net",
            "diabetes:svm",
            "diabetes:decision_tree",
            "noisy_regression:svm",
            "noisy_regression:kernel_ridge",
            "noisy_regression:nearest_neighbours",
        ),
    ),
    Preset("landscapes", "Landscapes", _specs(*(landscape.key for landscape in LANDSCAPES))),
)


def known_problems() -> Mapping[str, ProblemSpec]:
    """Bundled data with each model that does such a task, and the landscapes, by `data:model` or `data`."""
    specs = [ProblemSpec(data=landscape.key) for landscape in LANDSCAPES]
    for data in DATASETS:
        usable = [model for model in MODELS if data.task in model.tasks and not model.why_unavailable]
        specs += [ProblemSpec(data=data.key, model=model.key) for model in usable]
    return {key_of(spec): spec for spec in specs}


def key_of(spec: ProblemSpec) -> str:
    """What a bundled problem is called on the command line: `data:model`, a landscape by itself."""
    return f"{spec.data}:{spec.model}" if spec.model else spec.data


def name_of(spec: ProblemSpec) -> str:
    """What a person reads for a bundled problem.

    >>> name_of(ProblemSpec(data="wine", model="svm")), name_of(ProblemSpec(data="branin"))
    ('Wine · SVM', 'Branin')
    """
    data = LANDSCAPES[spec.data].label if spec.data in LANDSCAPES else DATASETS[spec.data].label
    return f"{data} · {MODELS[spec.model].label}" if spec.model else data


def cost_of(specs: Sequence[ProblemSpec], arms: Sequence[DuelArm], budget: Budget, finals: int | None = None) -> Cost:
    """What a suite on these problems would spend at most."""
    n_searches = sum(arm.seeds for arm in arms)
    shares = sum(arm.seeds * arm.times for arm in arms if arm.method != DEFAULT)
    defaults = sum(arm.method == DEFAULT for arm in arms)
    n_fits, n_final, guess = 0, 0, 0.0
    for spec in specs:
        final = n_searches * _n_final_scores(spec, finals)
        each = budget.amount * (_n_folds(spec) if budget.kind == "trials" else 1)
        own = 0 if budget.kind == "seconds" else int(shares * each) + defaults * _n_folds(spec)
        n_fits, n_final = n_fits + own + final, n_final + final
        guess += (own + final) * (_GUESS[MODELS[spec.model].cost] if spec.model else 0.0)
    is_timed = budget.kind == "seconds"
    seconds = shares * budget.amount * len(specs) if is_timed else guess
    return Cost(n_searches * len(specs), n_fits, n_final, seconds, not is_timed)


def _n_folds(spec: ProblemSpec) -> int:
    if spec.model:
        return spec.protocol.n_folds
    return spec.protocol.folds if spec.noise else 1


def _n_final_scores(spec: ProblemSpec, finals: int | None) -> int:
    """Fits on fresh folds of each search; none where there are no fresh folds."""
    n = suited_finals(spec) if finals is None else finals
    return 0 if why_no_fresh_folds(spec) else n * folds_of_draw(spec)
