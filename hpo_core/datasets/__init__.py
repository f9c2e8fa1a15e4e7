"""Data sets: bundled ones, one file each, and tables that a person brings."""

from hpo_core.datasets._base import Dataset, DataSource, Task
from hpo_core.discovery import Catalogue

DATASETS: Catalogue[DataSource] = Catalogue("hpo_core.datasets", DataSource, "data set")

__all__ = ["DATASETS", "DataSource", "Dataset", "Task"]
