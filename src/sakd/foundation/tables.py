"""Named choices: every distiller, network, policy and dataset is a line of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TypeVar

from sakd.foundation.errors import UserError

T = TypeVar("T")


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
    """

    def __init__(self, kind: str, items: Mapping[str, T]) -> None:
        """Name the ``kind`` of the items, in the singular, and list them in order."""
        self.kind = kind
        self._items = MappingProxyType(dict(items))

    def __getitem__(self, name: str) -> T:
        """Look ``name`` up.

        Raises:
            UnknownNameError: No item has this name; the message lists near matches and all names.
        """
        try:
            return self._items[name]
        except KeyError:
            raise UnknownNameError(self._unknown(name)) from None

    def __iter__(self) -> Iterator[str]:
        """Yield the names in the order of the table."""
        return iter(self._items)

    def __len__(self) -> int:
        """Count the items."""
        return len(self._items)

    def __repr__(self) -> str:
        """Show the kind and the names."""
        return f"Table({self.kind!r}: {', '.join(self)})"

    def _unknown(self, name: object) -> str:
        folded = {known.casefold(): known for known in self}
        near = get_close_matches(str(name).casefold(), folded)
        hint = f"did you mean {' or '.join(repr(folded[n]) for n in near)}? " if near else ""
        return f"unknown {self.kind} {name!r}; {hint}known: {', '.join(self)}"
