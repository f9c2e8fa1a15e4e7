"""Model families, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.models._base import DataFacts, ModelFamily, Resource

MODELS: Catalogue[ModelFamily] = Catalogue("hpo_core.models", ModelFamily, "model")

__all__ = ["MODELS", "DataFacts", "ModelFamily", "Resource"]
