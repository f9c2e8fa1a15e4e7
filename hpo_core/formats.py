"""Numbers as people read them: four significant digits, units after the number, thousands separated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTHING = "–"


_ROUNDING = 1e-13


def format_score(value: float | None) -> str:
    """Four significant digits with trailing zeros, so that scores of one column line up; a dash for nothing.

    >>> format_score(0.995), format_score(12345.6), format_score(-0.00001234), format_score(float("nan"))
    ('0.9950', '12,346', '-1.234e-05', '–')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if 1000 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    return f"{value:#.4g}".rstrip(".")


def format_within(value: float, half_width: float) -> str:
    """A value with as many digits as its interval bears: down to the second digit of half its width.

    >>> format_within(0.98517, 0.012), format_within(1234.5, 40.0), format_within(0.5, float("nan"))
    ('0.985', '1,234', '0.5000')
    """
    if not (math.isfinite(value) and math.isfinite(half_width) and half_width > 0):
        return format_score(value)
    decimals = min(8, max(0, 1 - math.floor(math.log10(half_width))))
    return f"{value:,.{decimals}f}"


def format_signed(difference: float) -> str:
    """A difference with its sign, and a true minus; what rounding leaves of nothing is nothing.

    >>> format_signed(0.0083), format_signed(-12.5), format_signed(0.0), format_signed(2.2e-17)
    ('+0.0083', '−12.50', '±0', '±0')
    """
    if not math.isfinite(difference):
        return NOTHING
    size = abs(difference)
    if size < _ROUNDING:
        return "±0"
    text = f"{size:.4f}" if 5e-5 <= size < 10 else format_score(size)
    return f"+{text}" if difference > 0 else f"−{text}"


def format_value(value: Any) -> str:
    """A parameter's value: numbers with at most four significant digits, everything else as its own text.

    >>> format_value(0.004), format_value(1437), format_value(12345), format_value("rbf"), format_value(None)
    ('0.004', '1,437', '12,345', 'rbf', 'None')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if math.isnan(value):
        return NOTHING
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e7):
        return f"{int(value):,}"
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e7 else f"{value:.4g}"


def format_seconds(seconds: float | None) -> str:
    """A duration in its two largest useful units.

    >>> [format_seconds(s) for s in (0.0123, 0.84, 12.3, 130, 3900, 200000)]
    ['12 ms', '0.84 s', '12 s', '2 min 10 s', '1 h 5 min', '2 d 7 h']
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    for size, unit, part, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {part_unit}" if rest else "")
    return f"{whole} s"


def format_bytes(count: float) -> str:
    """A size in its largest useful unit of a thousand.

    >>> [format_bytes(n) for n in (0, 812, 1536, 2.5e6, 3.2e9)]
    ['0 B', '812 B', '1.5 kB', '2.5 MB', '3.2 GB']
    """
    size, units = float(count), ["B", "kB", "MB", "GB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.0f} {units[0]}" if size >= 100 or units[0] == "B" else f"{size:.2g} {units[0]}"


def format_age(moment: float, now: float) -> str:
    """How long ago, both in seconds since the epoch.

    >>> [format_age(0, now) for now in (5, 300, 7200, 200000)]
    ['just now', '5 min ago', '2 h ago', '2 days ago']
    """
    passed = max(0.0, now - moment)
    if passed < 90:
        return "just now"
    if passed < 5400:
        return f"{round(passed / 60)} min ago"
    return f"{round(passed / 3600)} h ago" if passed < 129600 else f"{round(passed / 86400)} days ago"


def format_count(count: int, noun: str = "") -> str:
    """A whole number with its noun in the right number.

    >>> format_count(12345), format_count(1, "trial"), format_count(2, "trial")
    ('12,345', '1 trial', '2 trials')
    """
    return f"{count:,}" if not noun else f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_list(names: Sequence[str]) -> str:
    """Names as a sentence lists them.

    >>> format_list(["Auto"]), format_list(["Auto", "TPE", "Random"])
    ('Auto', 'Auto, TPE and Random')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def round_significant(values: NDArray[np.float64], digits: int = 4) -> NDArray[np.float64]:
    """The numbers rounded to so many significant digits, any shape; NaN and infinities stay.

    >>> round_significant(np.array([0.00123456, 98765.4, 0.0, np.nan])).tolist()
    [0.001235, 98770.0, 0.0, nan]
    """
    usable = np.isfinite(values) & (values != 0)
    exponent = digits - 1 - np.floor(np.log10(np.abs(np.where(usable, values, 1.0)))).astype(int)
    up, down = 10.0 ** np.maximum(exponent, 0), 10.0 ** np.maximum(-exponent, 0)
    return np.where(usable, np.round(np.where(usable, values, 1.0) * up / down) * down / up, values)
