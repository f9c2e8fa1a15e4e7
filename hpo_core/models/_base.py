"""The manual of model families: what a file in this folder declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from hpo_core.datasets import Task
from hpo_core.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What a search space may depend on: the development rows after preparation.

    Attributes:
        task: Classification or regression.
        n_rows: Rows that the model is trained on in one fold.
        n_features: Columns after preparation (one-hot columns counted).
        n_classes: Classes; 0 for regression.
        feature_variance: Variance over all entries of the prepared matrix, as SVC's gamma="scale" takes it.
        target_scale: Standard deviation of the target; 1 for classification.
        has_gaps: Whether numbers are missing in the training rows.
        has_categories: Whether there are columns of categories.
        needs_probabilities: Whether the metric takes probabilities of classes.
    """

    task: Task
    n_rows: int
    n_features: int
    n_classes: int = 0
    feature_variance: float = 1.0
    target_scale: float = 1.0
    has_gaps: bool = False
    has_categories: bool = False
    needs_probabilities: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a cheaper, partial fit spends less of: an integer parameter of the estimator, such as trees or epochs.

    Attributes:
        parameter: Its name.
        noun: What it counts.
        grow: Goes on training, see `hpo_core.models._growing`; None where a model must be trained anew.
        trains_in_one_go: Whether an estimator gives another result when its training is broken off and gone on with.
        changeable: Parameters that may change while a model trains.
    """

    parameter: str
    noun: str
    grow: Callable[[Any, Any, Any, int, int, Any], None] | None = None
    trains_in_one_go: Callable[[Any], bool] = lambda model: False
    changeable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """A family of models. A file in this folder binds one to a module-level name.

    Attributes:
        key: Plain name on the command line and in URLs, such as `random_forest`.
        label: Name on screen.
        purpose: One line: what the model does and when it is strong.
        source: Paper or book (author, year, title).
        tasks: What it can do.
        space: The search space for given data; its defaults are the library's own.
        build: An untrained estimator: `build(configuration, facts, seed)`, from the active parameters alone. Neighbours
            and batch sizes above `facts.n_rows` are cut to it, so that a fit on fewer rows is legal where the facts say
            so. The estimator itself uses one thread.
        needs_scaling: Whether features are standardised before it.
        resource: What a partial fit spends less of; None means rows of the training folds.
        why_unavailable: None, or "not installed: pip install x".
        cost: What a fit with the defaults costs: 1 for hundredths of a second on a few hundred rows, 2 for tenths, 3
            for more.
        is_slow: Whether a fit on such data takes so long that a search over families leaves this one out.
        joins_automl: Whether a search over families has it among them.
        short: A name for narrow places; the label or its initials when empty.
        preparing: Arguments of `preparation` that a configuration chooses, for a family that chooses its own.
        notes: Sentences that go with a problem on such data.
    """

    key: str
    label: str
    purpose: str
    source: str
    tasks: tuple[Task, ...]
    space: Callable[[DataFacts], SearchSpace]
    build: Callable[[Mapping[str, Any], DataFacts, int], BaseEstimator]
    needs_scaling: bool = False
    resource: Resource | None = None
    why_unavailable: str | None = None
    cost: int = 2
    is_slow: Callable[[DataFacts], bool] | None = None
    joins_automl: bool = True
    short: str = ""
    preparing: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    notes: Callable[[DataFacts], tuple[str, ...]] | None = None

    @property
    def tag(self) -> str:
        """The name for narrow places."""
        words = self.label.split()
        return self.short or (self.label if len(words) == 1 else "".join(word[0].upper() for word in words))

    def preparation_of(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of `preparation` for one configuration."""
        own = self.preparing(configuration) if self.preparing else {}
        return {"scale": self.needs_scaling, **own}
