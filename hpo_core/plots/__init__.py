"""Plots, one file each."""

from typing import Any

from hpo_core.discovery import Catalogue
from hpo_core.plots._base import GROUPS, INSIDE, JUDGE, Group, Plot
from hpo_core.plots._class import Spread, spread_alt, spread_figure, spread_numbers
from hpo_core.plots._duel import BUDGETS, chance_figure, duel_alt, duel_figure, duel_numbers
from hpo_core.plots._encoding import figure_json
from hpo_core.plots._fit_curves import curve_alt, curve_figure, curve_numbers
from hpo_core.plots._look import (
    DARK,
    DEFAULT,
    LIGHT,
    LIVE,
    MANUAL,
    ArmStyle,
    Figure,
    Look,
    arm_label,
    axis,
    faint,
    glow,
    layout,
    plain,
)
from hpo_core.plots._overlay import overlay_alt, overlay_figure, overlay_numbers, why_no_overlay
from hpo_core.plots._paths import ArmPaths, Walker
from hpo_core.plots._ranks import rank_alt, rank_figure, rank_height, rank_numbers, rank_plan
from hpo_core.plots._ticks import unit_ticks

PLOTS: Catalogue[Plot[Any]] = Catalogue("hpo_core.plots", Plot, "plot")

__all__ = [
    "BUDGETS",
    "chance_figure",
    "curve_alt",
    "curve_figure",
    "curve_numbers",
    "duel_alt",
    "duel_figure",
    "duel_numbers",
    "DARK",
    "DEFAULT",
    "GROUPS",
    "INSIDE",
    "JUDGE",
    "LIGHT",
    "LIVE",
    "MANUAL",
    "PLOTS",
    "ArmPaths",
    "ArmStyle",
    "Figure",
    "Group",
    "Look",
    "Plot",
    "Spread",
    "Walker",
    "arm_label",
    "axis",
    "faint",
    "figure_json",
    "glow",
    "layout",
    "overlay_alt",
    "overlay_figure",
    "overlay_numbers",
    "plain",
    "rank_alt",
    "rank_figure",
    "rank_height",
    "rank_numbers",
    "rank_plan",
    "spread_alt",
    "spread_figure",
    "spread_numbers",
    "unit_ticks",
    "why_no_overlay",
]
