"""The visual language: arms keep their colours, scales are even, words are readable, colours differ for everybody."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hpo_core.plots import DARK, LIGHT, LIVE, Look, arm_label, faint

# Viénot, Brettel and Mollon (1999), Digital video colourmaps for checking the legibility of displays by dichromats.
_DEUTERANOPIA = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
_OKLAB_1 = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB_2 = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(colour: str, *, deuteranope: bool = False) -> np.ndarray:
    light = linear(colour)
    seen = np.clip(_DEUTERANOPIA @ light, 0, 1) if deuteranope else light
    return _OKLAB_2 @ np.cbrt(_OKLAB_1 @ seen)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_words_are_readable_on_the_ground(look: Look) -> None:
    assert contrast(look.text, look.surface) > 7
    assert contrast(look.muted, look.surface) > 4.5


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_stand_out_from_the_ground(look: Look) -> None:
    assert all(contrast(colour, look.surface) >= 2.9 for colour in (look.you, look.default, *look.arms))


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_scale_is_even_and_ends_furthest_from_the_ground(look: Look) -> None:
    lightness = np.array([oklab(colour)[0] for colour in look.scale])
    steps = np.diff(lightness)
    assert (steps > 0).all() or (steps < 0).all()
    assert np.abs(steps).max() < 2 * np.abs(steps).min()
    ground = oklab(look.surface)[0]
    assert abs(lightness[-1] - ground) > abs(lightness[0] - ground)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("deuteranope", [False, True])
def test_you_and_the_first_arms_are_told_apart(look: Look, deuteranope: bool) -> None:
    seen = [oklab(colour, deuteranope=deuteranope) for colour in (look.you, *look.arms[:4])]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) > 0.05


def test_arm_that_joins_later_changes_no_colour() -> None:
    before = LIGHT.arm_styles(["default", "tpe", "manual"])
    after = LIGHT.arm_styles(["default", "tpe", "manual", "cma_es", "tpe"])
    assert before == {arm: after[arm] for arm in before}
    assert after["tpe"].colour == LIGHT.arms[0]
    assert after["manual"].colour == LIGHT.you
    assert len({(style.colour, style.symbol) for style in after.values()}) == 4


def test_live_look_names_every_colour_of_the_palettes() -> None:
    assert set(LIVE.palette()) == set(LIGHT.palette()) == set(DARK.palette())
    assert all(value == f"var(--lab-{name})" for name, value in LIVE.palette().items())


def test_arms_have_words() -> None:
    words = [arm_label(arm) for arm in ("manual", "default", "", "random", "<i>mine</i>")]
    assert words[:3] == ["you", "default", "trials"]
    assert words[4] == "&lt;i&gt;mine&lt;/i&gt;"


def test_translucent_colours_keep_their_hue() -> None:
    assert faint("#2f6fed", 0.5) == "rgba(47,111,237,0.5)"
