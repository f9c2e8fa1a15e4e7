"""Lists and counts as sentences say them."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[object], n_shown: int = 5) -> str:
    """The names with commas; the first few alone when there are many.

    >>> listed(["a", "b", "c"], n_shown=2)
    'a, b and 1 more'
    """
    shown = ", ".join(str(name) for name in names[:n_shown])
    return shown if len(names) <= n_shown else f"{shown} and {len(names) - n_shown:,} more"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(2500, "row"), counted(2, "class", "classes")
    ('1 row', '2,500 rows', '2 classes')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
