"""Pruning rules between the folds of a trial, one file each."""

from collections.abc import Mapping
from typing import Any

from hpo_core.discovery import Catalogue
from hpo_core.errors import UsageError
from hpo_core.options import with_options
from hpo_core.pruning._base import PruningRule, is_hopeless
from hpo_core.pruning._rivals import FoldHistory, Rivals

PRUNING: Catalogue[PruningRule] = Catalogue("hpo_core.pruning", PruningRule, "pruning rule")


def pruning_rule(key: str, options: Mapping[str, Any]) -> PruningRule:
    """The rule with these options.

    Raises:
        UsageError: There is no such rule, an option cannot be, or one is left out that the rule needs.
    """
    rule = PRUNING[key]
    missing = [name for name in rule.required if name not in options]
    if missing:
        raise UsageError(f"The pruning rule {key} needs the option {' and '.join(missing)}: give it a value.")
    return with_options(rule, options)


__all__ = ["PRUNING", "FoldHistory", "PruningRule", "Rivals", "is_hopeless", "pruning_rule"]
