"""Import what names such as ``package.module:item`` stand for.

Only names from parameters may come here, never names from files.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from sakd.foundation.errors import UserError, raised_at, require
from sakd.foundation.names import unknown


def imported(name: str) -> ModuleType:
    """Import the module called ``name``.

    Raises:
        UserError: There is no such module, or its import fails.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise UserError(f"{name} cannot be imported: {error}") from error
        raise UserError(
            f"there is no module {name!r}: put it where Python finds it (src/, or PYTHONPATH)"
        ) from error
    except Exception as error:  # whatever the module's code raises
        own = isinstance(error, SyntaxError)  # which names file and line itself
        place = "" if own else f" ({raised_at(error)})"
        fault = f"{type(error).__name__}: {error}{place}"
        raise UserError(
            f"{name} cannot be imported: {fault}: mend {name}, or the package that it imports"
        ) from error


def named(source: str, item: str) -> Callable[..., Any]:
    """Find the function, class or other callable called ``item`` in the module ``source``.

    Raises:
        UserError: The module cannot be imported, or has no such callable.
    """
    module = imported(source)
    known = [name for name, value in vars(module).items() if callable(value)]
    public = [name for name in known if not name.startswith("_")]
    require(item in known, unknown(f"function or class of {source}", item, public))
    found: Callable[..., Any] = getattr(module, item)
    return found
