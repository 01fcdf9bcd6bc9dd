"""Policies that tell samples apart."""

from __future__ import annotations

from sakd.routing.base import RoutingPolicy


def tells_apart(policy: RoutingPolicy | type[RoutingPolicy]) -> bool:
    """Tell whether samples distil for what they are.

    Where neither the rates are found nor any output is read, all distil alike, or by chance.
    """
    return bool(policy.sees) or not policy.settled
