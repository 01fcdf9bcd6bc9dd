"""A text that changes when code does, and does not when only its comments do."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from sakd.foundation.tables import Table

SHOWN = 16
"""Hexadecimal digits kept of a hash."""

WITHOUT_RESULTS = frozenset(
    f"sakd.foundation.{name}" for name in ("console", "errors", "imports", "machine", "tables")
)
"""Modules of the project that say, show or look something up, and change no number."""


def code_of(*objects: object) -> dict[str, str]:
    """Hash the modules that ``objects`` are written in, and those of their package behind them.

    A module counts with its syntax tree: comments, docstrings and layout change nothing. It is
    read once per process, so a file that is edited during a run is not what counts.

    Args:
        objects: Classes, functions, partials of functions, or modules.

    Returns:
        The hash of each module, by its name, in order of the names. Modules that are defined
        nowhere in files (an interactive session) have the hash ``unknown``.
    """
    return {module.__name__: _digest(module) for module in modules_of(*objects)}


def files_of(*objects: object) -> tuple[Path, ...]:
    """The files of the modules that `code_of` hashes."""
    files = (getattr(module, "__file__", None) for module in modules_of(*objects))
    return tuple(Path(file) for file in files if file is not None)


def modules_of(*objects: object) -> tuple[ModuleType, ...]:
    """The modules that `code_of` hashes: of the objects, their bases, and all these import.

    Of what a module imports, only modules of the same top-level package are followed, through
    the names that are imported and not through packages that pass them on.
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
    """The modules that a class (with its bases) or function is written in; a module is itself."""
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
    """Whether ``module`` is Python's or of a library, and not of a project."""
    file = getattr(module, "__file__", None)
    return file is None or package in sys.stdlib_module_names or "site-packages" in file


@cache
def _behind(module: ModuleType) -> tuple[ModuleType, ...]:
    """The modules of the same package that define what ``module`` imports."""
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
    """The modules in which ``names``, imported from ``source``, are defined."""
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
    """The syntax tree of ``module``, less what cannot change a number."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):
        return ast.Module(body=[], type_ignores=[])
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [part for part in body if not _is_remark(part)]
    return tree


def _is_remark(node: ast.stmt) -> bool:
    """Whether ``node`` is a docstring (of an attribute too) or serves type checkers alone."""
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
    """``node`` as a text that every version of Python gives alike: empty fields are left out."""
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    given = ((n, v) for n, v in ast.iter_fields(node) if v is not None and v != [])
    return f"{type(node).__name__}({','.join(f'{n}={_canonical(v)}' for n, v in given)})"
