"""What leaves the lab as a file."""

from hpo_core.export.duel_report import duel_report

__all__ = ["duel_report"]
