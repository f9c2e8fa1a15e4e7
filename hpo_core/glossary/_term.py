"""What a term is: a word of the lab and its meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the lab.

    Attributes:
        name: As it stands within a sentence.
        meaning: One to three sentences in plain words.
        see: Names of other terms that belong to it.
        aliases: Other words for the same; no two terms share one.
        source: Paper (author, year, title) of what is not common; "" for none.
        is_everyday: Whether it also is a common word of plain English, which is not linked where it stands.
    """

    name: str
    meaning: str
    see: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    source: str = ""
    is_everyday: bool = False

    @property
    def key(self) -> str:
        """Names it in an address."""
        return self.name.casefold().replace(" ", "-")

    @property
    def words(self) -> tuple[str, ...]:
        """All words for it, its name first."""
        return (self.name, *self.aliases)
