"""How numbers, times and differences are written on every page."""

from __future__ import annotations

import math
import time


def number(value: float | None, digits: int = 4) -> str:
    """Four significant digits; a dash for nothing; big counts with separators."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    if float(value).is_integer() and abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def score(value: float | None) -> str:
    """A score: four decimals below 10, so that scores of one study have the same width."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 10 else number(value)


def signed(value: float) -> str:
    """A difference with its sign, a true minus."""
    if not math.isfinite(value):
        return "–"
    text = f"{abs(value):.4f}" if abs(value) < 10 else number(abs(value))
    return f"+{text}" if value > 0 else f"−{text}" if value < 0 else "±0"


def seconds(value: float | None) -> str:
    """A time: 0.8 s, 40 s, 2 min 10 s, 3 h 5 min."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def age(epoch: float) -> str:
    """How long ago: just now, 5 min ago, 3 h ago, 2 days ago."""
    passed = max(0.0, time.time() - epoch)
    for limit, unit, size in ((90, "", 0), (5400, "min", 60), (129600, "h", 3600)):
        if passed < limit:
            return "just now" if not size else f"{round(passed / size)} {unit} ago"
    return f"{round(passed / 86400)} days ago"


def value_text(value: object) -> str:
    """A parameter's value as it is shown beside a slider: four significant digits, no trailing zeros."""
    if not isinstance(value, float):
        return str(value)
    text = number(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    return _trimmed(text)


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
