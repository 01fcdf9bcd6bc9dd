"""The classes behind the names of methods and policies, found without importing anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch

from sakd.distillers import DISTILLERS, Distiller
from sakd.distillers.kd import KD
from sakd.distillers.method import JOINT
from sakd.foundation.names import base_of
from sakd.networks import NETWORKS
from sakd.routing import POLICIES, RoutingPolicy, choice
from sakd.routing.always import Always
from sakd.systems import SYSTEMS, System

REFERENCE = POLICIES.name_of(Always)
"""The policy of plain distillation, with which all others are compared."""

PLAIN_KD = DISTILLERS.name_of(KD)
"""The method that compares softened logits and nothing else."""


def policy_kind(policy: str) -> type[RoutingPolicy] | None:
    """Find the class of a policy; None for one that is unknown here."""
    found = _known(policy, POLICIES)
    return found if found and issubclass(found, RoutingPolicy) else None


def system_kind(method: str) -> type[System[Any]] | None:
    """Find the class of a system; None for a method of distillers, and for an unknown one."""
    found = _known(method, SYSTEMS)
    return found if found and issubclass(found, System) else None


def compares_policies(method: str) -> bool:
    """Tell whether a method is trained by several policies: not so a system without routing."""
    kind = system_kind(method)
    return kind is None or kind.routable


def distiller_kinds(method: str) -> dict[str, type[Distiller]]:
    """Find the classes of the distillers of a method, by name; the unknown are left out."""
    found = {name: _known(name, DISTILLERS) for name in method.split(JOINT)}
    return {name: kind for name, kind in found.items() if kind and issubclass(kind, Distiller)}


@cache
def family(network: str) -> str | None:
    """Name the architecture of a network of the zoo; None for one of elsewhere."""
    if base_of(network) not in tuple(NETWORKS):
        return None
    with torch.device("meta"):
        return NETWORKS[base_of(network)](num_classes=2).family


def may_collapse(policy: str) -> bool:
    """Tell whether a policy may stop choosing; an unknown one may."""
    kind = policy_kind(policy)
    return kind is None or not kind.settled


def has_router(policy: str) -> bool:
    """Tell whether a policy is trained, and no rule; an unknown one may be."""
    kind = policy_kind(policy)
    return kind is None or kind.trained


def tells_apart(policy: str) -> bool:
    """Tell whether samples distil for what they are under a policy; an unknown one may do so."""
    kind = policy_kind(policy)
    return kind is None or choice.tells_apart(kind)


def stands_alone(method: str) -> bool:
    """Tell whether a method is trained without KD, and without cross-entropy but in phases."""
    return any(kind.stands_alone for kind in distiller_kinds(method).values())


def _known(name: str, table: Mapping[str, type]) -> type | None:
    """Look up a name from a file: nothing is imported for it.

    A class of another package (``package.module:Class``) is found if its module is imported
    already, as in a run whose parameters name it.
    """
    listed = dict(table)
    if name in listed:
        return listed[name]
    module, _, item = name.partition(":")
    found = vars(sys.modules[module]).get(item) if module in sys.modules else None
    return found if isinstance(found, type) else None
