"""Names of nodes, in modules: kedro-viz folds a module, and ``--namespaces`` runs one."""

from __future__ import annotations

from typing import TypedDict

from sakd.networks.variants import slug
from sakd.study.grid import Row
from sakd.study.splits import StudySplit


class Named(TypedDict):
    """The name of a node, and the module that it is in."""

    name: str
    namespace: str | None


def named(split: StudySplit, *parts: str) -> Named:
    """Name a node of ``split`` by the modules it is in and its own name.

    Where every seed has its own split, all of a seed is one module.
    """
    *modules, name = [*_modules(split), *parts]
    return Named(name=name, namespace=".".join(modules) or None)


def named_row(split: StudySplit, row: Row) -> Named:
    """Name the node of a row: in a module of its pair if that has a node for every seed."""
    pair = f"{slug(row.teacher)}-{slug(row.student)}"
    return named(split, "students", pair, *([] if _modules(split) else [f"seed_{row.seed}"]))


def node_of(split: StudySplit, row: Row) -> str:
    """Give the name of the node of a row as ``kedro run --nodes`` takes it."""
    found = named_row(split, row)
    return f"{found['namespace']}.{found['name']}"


def _modules(split: StudySplit) -> list[str]:
    if not split.prefix:
        return []
    (seed,) = split.parameters.grid.seeds
    return [f"seed_{seed}"]
