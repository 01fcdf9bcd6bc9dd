"""The routing policies, by name: ``POLICIES[name]`` is a `RoutingPolicy` class."""

from __future__ import annotations

from sakd.foundation.tables import Table
from sakd.routing.adaptive import Adaptive
from sakd.routing.agreeing import Agreeing
from sakd.routing.always import Always
from sakd.routing.anti import Anti
from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.better import Better
from sakd.routing.budget import Budget
from sakd.routing.conditional import Conditional
from sakd.routing.heldout import HeldOut
from sakd.routing.prime import Prime
from sakd.routing.random import Random
from sakd.routing.random_matched import RandomMatched
from sakd.routing.scene import Scene, Sight, View
from sakd.routing.uncertain import Uncertain

POLICIES: Table[type[RoutingPolicy]] = Table(
    "policy",
    {
        "adaptive": Adaptive,
        "always": Always,
        "random": Random,
        "random_matched": RandomMatched,
        "anti": Anti,
        "budget": Budget,
        "heldout": HeldOut,
        "conditional": Conditional,
        "better": Better,
        "agreeing": Agreeing,
        "uncertain": Uncertain,
        "prime": Prime,
    },
    base=RoutingPolicy,
)
"""The policies by name, or `package.module:Class` for one of your own."""

__all__ = ["POLICIES", "Route", "RoutingPolicy", "Scene", "Sight", "View"]
