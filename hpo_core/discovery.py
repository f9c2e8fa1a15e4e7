"""Finding things: every file of a package that does not start with an underscore declares one or more of them."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from hpo_core.errors import DiscoveryError, UsageError


class Declared(Protocol):
    """What everything that can be discovered says of itself."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def purpose(self) -> str: ...


T = TypeVar("T", bound=Declared)


class Catalogue(Generic[T]):
    """All objects of one kind that the files of a package declare, by key, sorted by file name.

    A kind whose items have a number `place` is sorted by this first.

    A file declares an item as a module-level name bound to an instance of `kind`. Items are looked up on first use, so
    that importing the package costs nothing.
    """

    def __init__(self, package: str, kind: type[Any], noun: str) -> None:
        self._package, self._kind, self.noun = package, kind, noun

    @cached_property
    def _items(self) -> dict[str, T]:
        package = importlib.import_module(self._package)
        found: dict[str, T] = {}
        for info in pkgutil.iter_modules(package.__path__, prefix=self._package + "."):
            if not info.name.rpartition(".")[2].startswith("_"):
                for item in self._declared(_imported(info.name)):
                    self._add(found, item, info.name)
        return dict(sorted(found.items(), key=lambda entry: getattr(entry[1], "place", 0)))

    def _declared(self, module: ModuleType) -> list[T]:
        items = [value for value in vars(module).values() if isinstance(value, self._kind)]
        if not items:
            raise DiscoveryError(f"{module.__name__} declares no {self.noun}.")
        return items

    def _add(self, found: dict[str, T], item: T, module: str) -> None:
        missing = [name for name in ("key", "label", "purpose") if not getattr(item, name, "")]
        if missing:
            raise DiscoveryError(f"A {self.noun} in {module} has no {' and no '.join(missing)}.")
        if item.key in found:
            raise DiscoveryError(f"{module} declares the {self.noun} {item.key!r} a second time.")
        found[item.key] = item

    def __getitem__(self, key: str) -> T:
        """The item with this key.

        Raises:
            UsageError: There is none; the message lists those that there are.
        """
        if key not in self._items:
            raise UsageError(f"There is no {self.noun} {key!r}; there are {', '.join(self._items)}.")
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._items)


def why_not_installed(*modules: str, package: str) -> str | None:
    """ "not installed: pip install x" when one of the modules is missing, else None."""
    if all(importlib.util.find_spec(m) for m in modules):
        return None
    return f"not installed: pip install {package}"


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except DiscoveryError:
        raise
    except Exception as fault:
        raise DiscoveryError(f"{name} cannot be loaded: {type(fault).__name__}: {fault}") from fault
