"""Landscapes, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.landscapes._base import Landscape

LANDSCAPES: Catalogue[Landscape] = Catalogue("hpo_core.landscapes", Landscape, "landscape")

__all__ = ["LANDSCAPES", "Landscape"]
