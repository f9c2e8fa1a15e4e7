"""Places as words of a move: two digits of base 36 for each coordinate of the unit cube, to a thousandth."""

from __future__ import annotations

_FINE = 1000
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def to_word(unit: float) -> str:
    """A coordinate as two letters or digits; what is outside of the cube is moved to its edge.

    >>> to_word(0.5), to_word(1.7)
    ('dw', 'rs')
    """
    place = round(min(max(unit, 0.0), 1.0) * _FINE)
    return _DIGITS[place // 36] + _DIGITS[place % 36]


def from_word(word: str) -> tuple[float, ...]:
    """The coordinates in a word; empty for a word that holds none.

    >>> from_word("dwrs"), from_word("fly"), from_word("zzzz")
    ((0.5, 1.0), (), ())
    """
    if len(word) % 2 or not set(word) <= set(_DIGITS):
        return ()
    places = [int(word[i : i + 2], 36) for i in range(0, len(word), 2)]
    return tuple(place / _FINE for place in places) if max(places, default=0) <= _FINE else ()
