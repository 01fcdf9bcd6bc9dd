"""Find what a name such as ``package.module:item`` means. Only names from parameters come here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

from sakd.foundation.errors import UserError


def imported(name: str) -> ModuleType:
    """Import the module called ``name``.

    Raises:
        UserError: There is none, or its import fails.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise UserError(f"{name} cannot be imported: {error}") from error
        raise UserError(
            f"there is no module {name!r}: put it where Python finds it (src/, or PYTHONPATH)"
        ) from error


def named(source: str, item: str) -> Callable[..., Any]:
    """Find the function, class or other callable called ``item`` in the module ``source``.

    Raises:
        UserError: The module cannot be imported, or has no such callable.
    """
    module = imported(source)
    require_known(source, item, [name for name, value in vars(module).items() if callable(value)])
    found: Callable[..., Any] = getattr(module, item)
    return found


def require_known(source: str, item: str, names: Iterable[str]) -> None:
    """Refuse an ``item`` that is not among the ``names`` of ``source``.

    Raises:
        UserError: It is not; the message offers near matches.
    """
    known = list(names)
    if item in known:
        return
    near = get_close_matches(item, known)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "what is it called there?"
    raise UserError(f"{source} has no {item!r}; {hint}")
