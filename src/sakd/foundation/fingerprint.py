"""Hashes of code that ignore comments, docstrings and layout."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from sakd.foundation.tables import Table

SHOWN = 16
"""Hexadecimal digits kept of a hash."""

WITHOUT_RESULTS = frozenset(
    f"sakd.foundation.{name}"
    for name in ("console", "errors", "extras", "imports", "machine", "signals", "tables")
)
"""Modules of the project that report or look things up, and so change no result."""


def code_of(*objects: object) -> dict[str, str]:
    """Hash the modules that define ``objects``, and the modules of their packages they import.

    The hash is of the syntax tree: comments, docstrings and layout do not change it. A module is
    read once per process, so edits during a run do not count.

    Args:
        objects: Classes, functions, partials of functions, or modules.

    Returns:
        The hash of each module, by its name, in order of the names. Modules without a file (an
        interactive session) have the hash ``unknown``.
    """
    return dict(_hashes(*objects))


def files_of(*objects: object) -> tuple[Path, ...]:
    """Find the files of the modules that `code_of` hashes."""
    files = (getattr(module, "__file__", None) for module in modules_of(*objects))
    return tuple(Path(file) for file in files if file is not None)


@cache
def _hashes(*objects: object) -> Mapping[str, str]:
    return {module.__name__: _digest(module) for module in modules_of(*objects)}


@cache
def modules_of(*objects: object) -> tuple[ModuleType, ...]:
    """Find the modules that `code_of` hashes: of the objects, their bases, and their imports.

    Imports are followed within the same top-level package only, to the modules that define the
    imported names, not to packages that pass them on.
    """
    waiting = [module for thing in objects for module in _homes(thing)]
    found: dict[str, ModuleType] = {}
    while waiting:
        module = waiting.pop()
        if module.__name__ not in found and module.__name__ not in WITHOUT_RESULTS:
            found[module.__name__] = module
            waiting += _behind(module)
    return tuple(found[name] for name in sorted(found))


def _homes(thing: object) -> Iterator[ModuleType]:
    """Yield the modules that define a class (with its bases) or a function; a module is its own."""
    if isinstance(thing, ModuleType):
        yield thing
        return
    while isinstance(thing, partial):
        thing = thing.func
    thing = inspect.unwrap(thing) if callable(thing) else thing
    for owner in thing.__mro__ if isinstance(thing, type) else (thing,):
        name = getattr(owner, "__module__", None) or type(owner).__module__
        package = name.partition(".")[0]
        if name in sys.modules and (owner is thing or not _installed(sys.modules[name], package)):
            yield sys.modules[name]


def _installed(module: ModuleType, package: str) -> bool:
    """Tell whether ``module`` belongs to Python or a library, not to a project."""
    file = getattr(module, "__file__", None)
    return file is None or package in sys.stdlib_module_names or "site-packages" in file


@cache
def _behind(module: ModuleType) -> tuple[ModuleType, ...]:
    """Find the modules of the same package that define the names that ``module`` imports."""
    package = module.__name__.partition(".")[0]
    names = [name for name in _imports(_tree(module), module) if name.partition(".")[0] == package]
    return tuple(sys.modules[name] for name in dict.fromkeys(names) if name in sys.modules)


def _imports(tree: ast.Module, module: ModuleType) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.__name__.split(".")
            base = parents[: len(parents) - node.level + hasattr(module, "__path__")]
            source = ".".join([*(base if node.level else ()), *filter(None, [node.module])])
            yield from _definers(source, (alias.name for alias in node.names))


def _definers(source: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the modules that define ``names``, imported from ``source``."""
    module = sys.modules.get(source)
    for name in names:
        if f"{source}.{name}" in sys.modules:
            yield f"{source}.{name}"
            continue
        thing = getattr(module, name, None)
        if isinstance(thing, Table):  # it leads to all that is in it, used or not
            continue
        defined = isinstance(thing, type) or inspect.isfunction(thing)
        yield str(thing.__module__) if defined else source


@cache
def _tree(module: ModuleType) -> ast.Module:
    """Parse ``module`` into its syntax tree, without docstrings and imports for type checkers."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):
        return ast.Module(body=[], type_ignores=[])
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [part for part in body if not _is_remark(part)]
    return tree


def _is_remark(node: ast.stmt) -> bool:
    """Tell whether ``node`` is a docstring (of an attribute too) or is for type checkers only."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str)
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


@cache
def _digest(module: ModuleType) -> str:
    tree = _tree(module)
    if not tree.body and getattr(module, "__file__", None) is None:
        return "unknown"
    return sha256(_canonical(tree).encode()).hexdigest()[:SHOWN]


def _canonical(node: object) -> str:
    """Write ``node`` as a text that no version of Python changes: without empty fields."""
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    given = ((n, v) for n, v in ast.iter_fields(node) if v is not None and v != [])
    return f"{type(node).__name__}({','.join(f'{n}={_canonical(v)}' for n, v in given)})"
