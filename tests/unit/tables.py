"""The classes of a package that its table should name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType


def concrete(package: ModuleType, base: type) -> set[type]:
    """Find the public classes of ``package`` that are a ``base`` and lack no method."""
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    modules = [importlib.import_module(each.name) for each in found]
    return {
        kind
        for module in modules
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, base) and not inspect.isabstract(kind) and not name.startswith("_")
    }
