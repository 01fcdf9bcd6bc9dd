"""Small changes of a syntax tree: what a mutant does to one node."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_PAIRS = (
    ("min", "max"), ("amin", "amax"), ("argmin", "argmax"), ("minimum", "maximum"),
    ("mean", "sum"), ("any", "all"), ("floor", "ceil"),
)  # fmt: skip
NAMES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
"""Functions and methods, and those that are called in their place."""

LEFT_OUT = {
    "detach", "clamp", "clamp_min", "clip", "abs", "sqrt", "square", "pow", "exp", "log", "relu",
    "flatten", "mT", "T", "softmax", "log_softmax", "normalize", "sorted", "reversed", "unique",
    "cumsum", "sort",
}  # fmt: skip
"""Functions and methods in whose place their first argument, or their object, is taken."""

CHECKS = {"strict"}
"""Arguments that demand what is so anyhow, like an assertion, and are left alone."""

MODULES = {"F", "torch", "np", "numpy", "math", "json", "logger", "stats", "functional"}
"""Names before a dot that are no object to be taken in a method's place."""


def changed(node: ast.AST, **fields: Any) -> Any:
    """Copy ``node`` with other ``fields``."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    texts = (ast.JoinedStr, ast.List, ast.Tuple)
    if any(isinstance(side, texts) or _is_text(side) for side in (node.left, node.right)):
        return
    if other := OPERATORS.get(type(node.op)):
        yield changed(node, op=other())


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if not isinstance(node.op, ast.UAdd):
        yield node.operand


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        operators = list(node.ops)
        operators[place] = COMPARISONS[type(operator)]()
        yield changed(node, ops=operators)


def _bool(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool(value):
            yield changed(node, value=not value)
        case int(value):
            yield changed(node, value=value + 1)
            if value == 1:
                yield changed(node, value=0)
        case float(value):
            yield changed(node, value=2 * value if value else 1.0)


def _call(node: ast.Call) -> Iterator[ast.AST]:
    match node.func:
        case ast.Name(id=name) if name in NAMES:
            yield changed(node, func=changed(node.func, id=NAMES[name]))
        case ast.Attribute(attr=name) if name in NAMES:
            yield changed(node, func=changed(node.func, attr=NAMES[name]))
        case ast.Attribute(value=owner, attr=name) if name in LEFT_OUT and not _is_module(owner):
            yield owner
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in LEFT_OUT and node.args:
            yield node.args[0]
    for word in node.keywords:
        if word.arg not in CHECKS:
            yield changed(node, keywords=[each for each in node.keywords if each is not word])


def _is_module(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id in MODULES) or isinstance(node, ast.Attribute)


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if node.attr in LEFT_OUT and isinstance(node.ctx, ast.Load) and node.attr in {"T", "mT"}:
        yield node.value


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    if not isinstance(node.test, ast.UnaryOp):
        yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    if node.ifs:
        yield changed(node, ifs=[])


def _returned(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not _is_none(node.value):
        yield changed(node, value=ast.Constant(None))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _statement(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.copy_location(ast.Pass(), node)


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    if other := OPERATORS.get(type(node.op)):
        yield changed(node, op=other())
    yield ast.copy_location(ast.Assign([node.target], node.value), node)


def _jump(node: ast.Break | ast.Continue) -> Iterator[ast.AST]:
    other = ast.Continue if isinstance(node, ast.Break) else ast.Break
    yield ast.copy_location(other(), node)


CHANGES: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _comparison,
    ast.BoolOp: _bool,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.If: _condition,
    ast.IfExp: _condition,
    ast.While: _condition,
    ast.comprehension: _comprehension,
    ast.Return: _returned,
    ast.Expr: _statement,
    ast.AugAssign: _augmented,
    ast.Break: _jump,
    ast.Continue: _jump,
}
