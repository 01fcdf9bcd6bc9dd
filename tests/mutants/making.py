"""The mutants of a module, named so that moved lines do not rename them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from mutants.changes import CHANGES, CHECKS

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Key(NamedTuple):
    """A mutant's name: what is changed in which function.

    Attributes:
        module: Name of the module.
        function: Qualified name of the function or class, empty for the module's own names.
        before: The line of code, without its layout.
        after: The line of the mutant; with a number where the function has several that are alike.
    """

    module: str
    function: str
    before: str
    after: str


class Place(NamedTuple):
    """Where a node hangs in the tree."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> ast.AST:
        """Hang ``node`` there, and give the one that was."""
        found: Any = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, node)
            return found
        found[self.index], old = node, found[self.index]
        return old


class Mutant(NamedTuple):
    """A change that can be made.

    Attributes:
        key: Its name.
        owner: The function, or the assignment of a class or module, that is changed.
        argument: The argument of ``owner`` whose default is changed; empty for its body.
        place: Where the node hangs.
        new: The other node.
    """

    key: Key
    owner: ast.AST
    argument: str
    place: Place
    new: ast.AST

    @property
    def is_value(self) -> bool:
        """Tell whether a default or a value of a class or module is changed."""
        return bool(self.argument) or not isinstance(self.owner, Function)


def mutants_of(module: str, tree: ast.Module) -> Iterator[Mutant]:
    """Make the mutants of a ``module``, in the order of its lines."""
    seen: dict[Key, int] = {}
    alike: set[tuple[int, str]] = set()
    for function, owner, argument, root in _parts(tree, ""):
        for line, place, node in _walk(root, root.parent):
            for new in _changes(node):
                before = _text(line)
                old = place.put(new)
                after = _text(new if line is old else line)
                place.put(old)
                if before == after or (id(line), after) in alike:
                    continue
                alike.add((id(line), after))
                key = Key(module, function, before, after)
                seen[key] = seen.get(key, 0) + 1
                name = key if seen[key] == 1 else key._replace(after=f"{after}  # {seen[key]}")
                yield Mutant(name, owner, argument, place, new)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if type(node) in CHANGES:
        yield from CHANGES[type(node)](node)


def _text(line: ast.AST) -> str:
    """Write the first line of a statement, without what it contains."""
    text = ast.unparse(ast.fix_missing_locations(line)).splitlines()
    while len(text) > 1 and text[0].startswith("@"):
        del text[0]
    return text[0] if isinstance(line, LINES) else " ".join(text)


def _parts(tree: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST, str, Place]]:
    """Yield the parts of a module or class that have mutants: bodies, defaults and values."""
    for index, node in enumerate(tree.body):  # type: ignore[attr-defined]
        if isinstance(node, Function):
            yield from _of_function(node, scope + node.name)
        elif isinstance(node, ast.ClassDef):
            yield from _parts(node, f"{scope}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _is_plain(node.value):
            yield scope.rstrip("."), node, "", Place(tree, "body", index)


def _of_function(node: Function, name: str) -> Iterator[tuple[str, ast.AST, str, Place]]:
    given = node.args
    usual = [*given.posonlyargs, *given.args]
    usual = usual[len(usual) - len(given.defaults) :]
    for index, argument in enumerate(usual):
        yield f"{name}({argument.arg})", node, argument.arg, Place(given, "defaults", index)
    for index, argument in enumerate(given.kwonlyargs):
        if given.kw_defaults[index] is not None:
            yield f"{name}({argument.arg})", node, argument.arg, Place(given, "kw_defaults", index)
    for index in range(1 if ast.get_docstring(node) else 0, len(node.body)):
        yield name, node, "", Place(node, "body", index)


def _is_plain(node: ast.AST | None) -> bool:
    """Tell whether a value is made of numbers and truths, and so can be worked out again."""
    plain = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.operator, ast.unaryop, ast.Load)
    return node is not None and all(isinstance(part, plain) for part in ast.walk(node))


LINES = (ast.stmt, ast.match_case, ast.ExceptHandler)
"""Nodes that are written on a line of their own."""

LEFT_ALONE = (ast.Raise, ast.JoinedStr, ast.Assert, ast.arguments)
"""Nodes without mutants: messages, texts, and what type checkers are told."""

FIELDS = {"annotation", "returns", "decorator_list", "type_params"}


def _walk(place: Place, line: ast.AST) -> Iterator[tuple[ast.AST, Place, ast.AST]]:
    """Yield the line, the place and the node of all that may be changed there."""
    found: Any = getattr(place.parent, place.field)
    node = found if place.index is None else found[place.index]
    if isinstance(node, LEFT_ALONE) or _says_nothing(node):
        return
    line = node if isinstance(node, LINES) or not isinstance(line, LINES) else line
    yield line, place, node
    for field, value in ast.iter_fields(node):
        if field in FIELDS:
            continue
        if isinstance(value, list):
            for index, part in enumerate(value):
                if isinstance(part, ast.AST):
                    yield from _walk(Place(node, field, index), line)
        elif isinstance(value, ast.AST):
            yield from _walk(Place(node, field, None), line)


def _says_nothing(node: ast.AST) -> bool:
    """Tell whether ``node`` writes to the log, checks what is so anyhow, or casts types."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"))):
            return True
        case ast.Expr(value=ast.Call() as call):
            return _says_nothing(call)
        case ast.Call(func=ast.Name(id="cast")):
            return True
        case ast.keyword(arg=name):
            return name in CHECKS
    return False
