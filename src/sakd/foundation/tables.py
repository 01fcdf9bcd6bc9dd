"""Named choices: every distiller, network, policy and dataset is a line of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import isabstract
from types import MappingProxyType
from typing import Any, TypeVar, cast

from sakd.foundation.errors import UserError
from sakd.foundation.imports import named
from sakd.foundation.names import unknown

T = TypeVar("T")

OUTSIDE = ":"
FORM = "package.module:Class"


class UnknownNameError(UserError, KeyError):
    """A name that is not in a table.

    It is a KeyError too, so that ``in`` and ``get`` treat a table as they do any mapping.
    """

    __str__ = Exception.__str__  # KeyError would show the quoted repr of the message


class Table(Mapping[str, T]):
    """A read-only mapping from a name to an item, which helps with names it does not know.

    >>> Table("policy", {"random": 1, "anti": 2})["ranom"]
    Traceback (most recent call last):
    sakd.foundation.tables.UnknownNameError: unknown policy 'ranom'; did you mean 'random'? ...

    With a ``base`` it also finds classes of other packages, named ``package.module:Class``.
    """

    def __init__(self, kind: str, items: Mapping[str, T], *, base: type | None = None) -> None:
        """List ``items``.

        Args:
            kind: A noun for the items, in the singular.
            items: The items by name, in order.
            base: The class from which classes of other packages must be derived; None for a table
                without them.
        """
        self.kind = kind
        self.base = base
        self._items = MappingProxyType(dict(items))

    def __getitem__(self, name: str) -> T:
        """Look ``name`` up.

        Raises:
            UnknownNameError: No item has this name; the message lists near matches and all names.
            UserError: A class of another package cannot be imported, or is of another kind.
        """
        try:
            return self._items[name]
        except KeyError:
            if self.base is not None and is_outside(name):
                return self._outside(name)
            other = f", or {FORM}" if self.base is not None else ""
            raise UnknownNameError(unknown(self.kind, name, self) + other) from None

    def name_of(self, item: T) -> str:
        """Give the name that finds ``item``: in the table, or ``package.module:Class``."""
        names = (name for name, listed in self._items.items() if listed is item)
        kind = item if isinstance(item, type) else type(item)
        return next(names, f"{kind.__module__}:{kind.__qualname__}")

    def __iter__(self) -> Iterator[str]:
        """Yield the names in the order of the table."""
        return iter(self._items)

    def __len__(self) -> int:
        """Count the items."""
        return len(self._items)

    def __repr__(self) -> str:
        """Show the kind and the names."""
        return f"Table({self.kind!r}: {', '.join(self)})"

    def _outside(self, name: str) -> T:
        found: Any = named(*name.split(OUTSIDE, 1))
        base: Any = self.base
        if not isinstance(found, type) or not issubclass(found, base) or isabstract(found):
            raise UserError(
                f"{name} is no {self.kind}: name a class derived from "
                f"{base.__module__}.{base.__name__}, with all its abstract methods"
            )
        item: Any = found
        return cast("T", item)


def is_outside(name: object) -> bool:
    """Tell whether ``name`` is of the form ``package.module:item``."""
    return isinstance(name, str) and OUTSIDE in name
