"""The visual language of every chart: who has which colour and mark, in light and in dark.

A figure is drawn with a `Look`. `LIGHT` and `DARK` hold real colours, for files and reports. `LIVE` holds names,
such as `var(--lab-you)`, which the browser replaces by the colours of the theme that is on: one figure serves both.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from hpo_core.methods import METHODS

Figure = dict[str, Any]

MANUAL, DEFAULT = "manual", "default"
FONT = "Inter, system-ui, sans-serif"

_SYMBOLS = ("circle-open", "square-open", "triangle-up-open", "pentagon-open", "triangle-down-open", "hexagon-open")


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """How one arm looks on every chart."""

    label: str
    colour: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours by what they mean, and the name of what is tuned.

    Attributes:
        text, muted, grid, surface: Words, quieter words, lines behind the data, the ground that the chart lies on.
        you, default, failed: The manual arm, the default configuration, trials without a usable value.
        arms: Automated arms in the order in which they appear.
        scale: Worst to best, perceptually even; the best end stands out most from the ground.
        value_label: What the values are, as an axis says it.
    """

    text: str
    muted: str
    grid: str
    surface: str
    you: str
    default: str
    failed: str
    arms: tuple[str, ...]
    scale: tuple[str, ...]
    value_label: str = "value"

    def naming(self, value_label: str) -> Look:
        """The same look with another name for the value."""
        return replace(self, value_label=value_label)

    def arm_styles(self, arms: Iterable[str]) -> dict[str, ArmStyle]:
        """A style for each arm, given in order of their first trials: an arm that joins later changes no colour."""
        styles: dict[str, ArmStyle] = {}
        n_automated = 0
        for arm in dict.fromkeys(arms):
            if arm == MANUAL:
                styles[arm] = ArmStyle("you", self.you, "circle")
            elif arm == DEFAULT:
                styles[arm] = ArmStyle("default", self.default, "diamond")
            else:
                colour = self.arms[n_automated % len(self.arms)]
                styles[arm] = ArmStyle(arm_label(arm), colour, _SYMBOLS[n_automated % len(_SYMBOLS)])
                n_automated += 1
        return styles

    @property
    def colorscale(self) -> list[list[Any]]:
        """Worst (0) to best (1), as plotly.js takes it."""
        return [[i / (len(self.scale) - 1), colour] for i, colour in enumerate(self.scale)]

    def palette(self) -> dict[str, str]:
        """Every colour by its name, "arms-0" for the first of several."""
        named: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                named |= {f"{field.name}-{i}": colour for i, colour in enumerate(value)}
            elif field.name != "value_label":
                named[field.name] = value
        return named


LIGHT = Look(
    text="#1b2333",
    muted="#5b6478",
    grid="#e4e8f0",
    surface="#ffffff",
    you="#e06a00",
    default="#6b7280",
    failed="#7d8594",
    arms=("#2f6fed", "#0b8f6f", "#b0468f", "#3aa0c9", "#7a6a00", "#5b3fa8", "#a0522d", "#1f5f6b"),
    scale=("#d4e6f2", "#afd0e6", "#8ab9de", "#66a1d8", "#4787cf", "#316dc3", "#2553ad", "#1f3d8e", "#192b68"),
)
DARK = Look(
    text="#e6eaf2",
    muted="#a3adc2",
    grid="#263149",
    surface="#161e2e",
    you="#ff9f43",
    default="#a3adc2",
    failed="#8792a8",
    arms=("#5b8cff", "#2fc79d", "#e07fc4", "#74d0f5", "#cfc04a", "#a78bfa", "#d08b63", "#5fb3bf"),
    scale=("#450c5e", "#44347e", "#38578b", "#2b768e", "#22948b", "#2fb07d", "#64ca5e", "#afdd2f", "#fde725"),
)


def _named(look: Look) -> Look:
    def name(field: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(f"var(--lab-{field}-{i})" for i in range(len(value)))
        return f"var(--lab-{field})"

    kept = {f.name: name(f.name, getattr(look, f.name)) for f in fields(look) if f.name != "value_label"}
    return Look(**kept)


LIVE = _named(LIGHT)


def faint(colour: str, alpha: float) -> str:
    """The colour, translucent.

    >>> faint("#ff8000", 0.25), faint("var(--lab-you)", 0.25)
    ('rgba(255,128,0,0.25)', 'var(--lab-you@0.25)')
    """
    if colour.startswith("var("):
        return f"{colour[:-1]}@{alpha:g})"
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def glow(look: Look) -> str:
    """A text shadow in the colour of the ground, so that words over lines stay readable."""
    return ", ".join([f"0 0 3px {look.surface}"] * 4)


def plain(text: object) -> str:
    """Text that plotly.js shows as it stands: it would read tags in a name as markup, and %{...} as a placeholder.

    >>> plain("<b>C</b>")
    '&lt;b&gt;C&lt;/b&gt;'
    """
    return html.escape(str(text), quote=False).replace("%{", "%\u200b{")


def shortened(text: str, most: int = 20) -> str:
    """Text for a narrow place: the middle of long names is left out.

    >>> shortened("kernel"), shortened("min_impurity_decrease_of_trees")
    ('kernel', 'min_impuri…_of_trees')
    """
    return plain(text if len(text) <= most else f"{text[: most // 2]}…{text[-(most - most // 2 - 1) :]}")


def arm_label(arm: str) -> str:
    """What a person reads for an arm: you, default, a method's label; trials of other programs have no arm."""
    fixed = {MANUAL: "you", DEFAULT: "default", "": "trials"}
    if arm in fixed:
        return fixed[arm]
    return METHODS[arm].label if arm in METHODS else plain(arm)


def axis(look: Look, title: str = "", **settings: Any) -> dict[str, Any]:
    """A cartesian axis of the house."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": look.muted}, "standoff": 8},
        "gridcolor": look.grid,
        "linecolor": look.grid,
        "tickfont": {"size": 11, "color": look.muted},
        "zeroline": False,
        "automargin": True,
        **settings,
    }


def layout(look: Look, *, revision: str, **settings: Any) -> dict[str, Any]:
    """A layout of the house. As long as `revision` stays, the browser keeps zoom, camera and hidden legend entries."""
    return {
        "uirevision": revision,
        "font": {"family": FONT, "size": 12, "color": look.text},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 40, "b": 44},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": look.surface,
            "bordercolor": look.grid,
            "font": {"family": FONT, "size": 12, "color": look.text},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.01,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12, "color": look.text},
            "bgcolor": "rgba(0,0,0,0)",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": look.muted, "activecolor": look.text},
        **settings,
    }
