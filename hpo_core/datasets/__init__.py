"""Data sets: bundled ones, one file each, and tables that a person brings."""

from hpo_core.datasets._base import Dataset, DataSource, Task
from hpo_core.datasets._loading import DATASETS, dataset_from_table, load_dataset
from hpo_core.datasets._reading import read_table

__all__ = ["DATASETS", "DataSource", "Dataset", "Task", "dataset_from_table", "load_dataset", "read_table"]
