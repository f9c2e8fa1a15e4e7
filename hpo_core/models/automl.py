"""Preparation, feature selection and model family as one conditional search space: AutoML as a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from hpo_core.models import MODELS, DataFacts, ModelFamily
from hpo_core.models._selection import BestShare, LeastVariance
from hpo_core.space import AnyParameter, Categorical, Condition, Float, SearchSpace

_FIRST = ("logistic_regression", "ridge")


def _space(facts: DataFacts) -> SearchSpace:
    families = _families(facts)
    own = [p for family in families for p in _parameters_of(family, facts)]
    return SearchSpace((_family(families), *_preparation(facts), *_selection(facts), *own))


def _families(facts: DataFacts) -> list[ModelFamily]:
    """Those that can and are not slow on such data, cheap ones first."""
    return sorted((f for f in _able(facts) if not _is_slow(f, facts)), key=lambda family: family.cost)


def _able(facts: DataFacts) -> list[ModelFamily]:
    able = [f for f in MODELS if f.joins_automl and not f.why_unavailable and facts.task in f.tasks]
    return [f for f in able if not facts.needs_probabilities or _has_probabilities(f, facts)]


def _is_slow(family: ModelFamily, facts: DataFacts) -> bool:
    return family.is_slow is not None and family.is_slow(facts)


def _has_probabilities(family: ModelFamily, facts: DataFacts) -> bool:
    return hasattr(family.build(family.space(facts).default(), facts, 0), "predict_proba")


def _family(families: list[ModelFamily]) -> Categorical:
    keys = tuple(family.key for family in families)
    return Categorical(
        name="family",
        label="model family",
        explanation="Which kind of model is trained, the cheap ones first; each brings its own parameters.",
        choices=keys,
        default=next((key for key in _FIRST if key in keys), keys[0]),
    )


def _parameters_of(family: ModelFamily, facts: DataFacts) -> list[AnyParameter]:
    """The family's own space, with names of its own, active while the family is chosen."""
    return [
        replace(
            p,
            name=f"{family.key}.{p.name}",
            label=f"{family.tag}: {p.label}",
            when=replace(p.when, parent=f"{family.key}.{p.when.parent}")
            if p.when
            else Condition("family", (family.key,)),
        )
        for p in family.space(facts).parameters
    ]


def _preparation(facts: DataFacts) -> list[Categorical]:
    """What has an effect on such data only: without gaps nothing is filled, without categories nothing encoded."""
    imputer = Categorical(
        name="imputer",
        label="gaps filled with",
        explanation="What stands in for missing numbers, taken from the training rows of each column.",
        choices=("median", "mean", "most_frequent"),
        default="median",
    )
    scaler = Categorical(
        name="scaler",
        label="scaling",
        explanation="How numbers are brought to one scale: robust minds no outliers, quantile makes all bell-shaped.",
        choices=("standard", "none", "min_max", "robust", "quantile"),
        default="standard",
    )
    encoder = Categorical(
        name="encoder",
        label="categories as",
        explanation="A column for each level, or one column with the level's rank or share, which suits trees.",
        choices=("one_hot", "ordinal", "frequency"),
        default="one_hot",
    )
    return [*[imputer] * facts.has_gaps, scaler, *[encoder] * facts.has_categories]


def _selection(facts: DataFacts) -> list[AnyParameter]:
    if facts.n_features < 2:
        return []
    switch = Categorical(
        name="selection",
        label="features",
        explanation="Whether all columns are used, the best alone, those that vary, or their principal components.",
        choices=("all", "best", "varying", "pca"),
        default="all",
    )
    share = Float(
        name="kept_share",
        label="share kept",
        explanation="Share of the columns that is kept, those most related to the target; lower is simpler.",
        low=0.05,
        high=1.0,
        default=0.5,
        log=True,
        when=Condition("selection", ("best",)),
    )
    threshold = Float(
        name="least_variance",
        label="least variance",
        explanation="Columns that vary less after scaling are dropped; higher drops more.",
        low=1e-4,
        high=0.25,
        default=0.01,
        log=True,
        when=Condition("selection", ("varying",)),
    )
    variance = Float(
        name="pca_variance",
        label="variance kept",
        explanation="Share of the variance that the principal components keep; higher keeps more of them.",
        low=0.5,
        high=0.999,
        default=0.95,
        when=Condition("selection", ("pca",)),
    )
    return [switch, share, threshold, variance]


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    family = MODELS[configuration["family"]]
    prefix = f"{family.key}."
    own = {name.removeprefix(prefix): value for name, value in configuration.items() if name.startswith(prefix)}
    model = family.build(own, facts, seed)
    selector = _selector(configuration, facts, seed)
    return model if selector is None else Pipeline([("select", selector), ("model", model)])


def _selector(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator | None:
    kind = configuration.get("selection", "all")
    if kind == "best":
        return BestShare(configuration["kept_share"], facts.task == "classification")
    if kind == "varying":
        return LeastVariance(configuration["least_variance"])
    if kind == "pca":
        return PCA(configuration["pca_variance"], svd_solver="full", random_state=seed)
    return None


def _preparing(configuration: Mapping[str, Any]) -> dict[str, Any]:
    names = {"imputer": "fill", "scaler": "scaler", "encoder": "encoding"}
    return {argument: configuration[name] for name, argument in names.items() if name in configuration}


def _notes(facts: DataFacts) -> tuple[str, ...]:
    slow = [family.label for family in _able(facts) if _is_slow(family, facts)]
    if not slow:
        return ()
    return (f"Left out, because a fit takes long on data of this size: {', '.join(slow)}. Tune such a model alone.",)


automl = ModelFamily(
    key="automl",
    label="AutoML",
    purpose="Preparation, features and kind of model chosen together; for when you do not know which model to take.",
    source="M. Feurer, A. Klein, K. Eggensperger, J. Springenberg, M. Blum and F. Hutter, 2015, Efficient and Robust "
    "Automated Machine Learning; C. Thornton, F. Hutter, H. H. Hoos and K. Leyton-Brown, 2013, Auto-WEKA",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=3,
    joins_automl=False,
    preparing=_preparing,
    notes=_notes,
)
