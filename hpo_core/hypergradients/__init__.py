"""Hypergradients, one file for each model family that has them."""

from hpo_core.discovery import Catalogue
from hpo_core.hypergradients._base import (
    Fold,
    Hypergradient,
    SmoothLoss,
    check_classes,
    squared_loss,
    weights_of,
)
from hpo_core.hypergradients._validation_loss import ValidationLoss

HYPERGRADIENTS: Catalogue[Hypergradient] = Catalogue("hpo_core.hypergradients", Hypergradient, "hypergradient")

__all__ = [
    "HYPERGRADIENTS",
    "Fold",
    "Hypergradient",
    "SmoothLoss",
    "ValidationLoss",
    "check_classes",
    "squared_loss",
    "weights_of",
]
