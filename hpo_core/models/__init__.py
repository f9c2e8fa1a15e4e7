"""Model families, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.models._base import DataFacts, ModelFamily, Resource
from hpo_core.models._shared import (
    EPOCHS,
    TREES,
    boosted_depth,
    boosted_leaf_size,
    class_weight,
    column_share,
    depth_switch,
    feature_share,
    forest_parameters,
    impurity,
    l1_alpha,
    leaf_size,
    learning_rate,
    n_leaves,
    n_trees,
    power_of_ten,
    row_share,
    shrinkage,
    split_size,
    tree_arguments,
    with_scaled_target,
)

MODELS: Catalogue[ModelFamily] = Catalogue("hpo_core.models", ModelFamily, "model")

__all__ = [
    "DataFacts",
    "EPOCHS",
    "MODELS",
    "ModelFamily",
    "Resource",
    "TREES",
    "boosted_depth",
    "boosted_leaf_size",
    "class_weight",
    "column_share",
    "depth_switch",
    "feature_share",
    "forest_parameters",
    "impurity",
    "l1_alpha",
    "leaf_size",
    "learning_rate",
    "n_leaves",
    "n_trees",
    "power_of_ten",
    "row_share",
    "shrinkage",
    "split_size",
    "tree_arguments",
    "with_scaled_target",
]
