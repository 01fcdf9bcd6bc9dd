"""Operations that write into their input, which a graph of values does not show."""

from __future__ import annotations

from typing import Any

from torch import fx, nn

_VIEWS = ("view", "reshape", "flatten", "permute", "transpose", "chunk", "split", "getitem")


def is_overwritten(model: nn.Module, node: fx.Node) -> bool:
    """Whether a later operation writes into the output of ``node``, or into a view of it."""
    return any(
        written_by(model, user) is node or (_is_view(user) and is_overwritten(model, user))
        for user in node.users
    )


def written_by(model: nn.Module, node: fx.Node) -> fx.Node | None:
    """Find the node whose output ``node`` overwrites, if any; an opaque module may overwrite."""
    if node.op == "call_module":
        module = model.get_submodule(str(node.target))
        known = fx.Tracer().is_leaf_module(module, "")
        in_place = getattr(module, "inplace", False) or not known
    else:
        name = _name(node)
        method = name.endswith("_") and not name.endswith("__")
        in_place = method or node.kwargs.get("inplace", False)
    first = node.args[0] if node.args else None
    return first if in_place and isinstance(first, fx.Node) else None


def is_needed_elsewhere(model: nn.Module, node: fx.Node) -> bool:
    """Whether the output of ``node``, or a tensor that shares its memory, has several users."""
    source = node.args[0] if _is_view(node) and node.args else written_by(model, node)
    if len(node.users) > 1:
        return True
    return isinstance(source, fx.Node) and is_needed_elsewhere(model, source)


def _is_view(node: fx.Node) -> bool:
    return node.op != "call_module" and _name(node) in _VIEWS


def _name(node: fx.Node) -> str:
    target: Any = node.target
    return target if isinstance(target, str) else getattr(target, "__name__", "")
