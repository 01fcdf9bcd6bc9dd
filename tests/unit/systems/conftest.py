"""Small situations: the networks and data with which a system of any kind can be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Routing
from sakd.routing import RoutingPolicy
from sakd.routing.always import Always
from sakd.systems import SYSTEMS, Partner, Situation, System

IMAGE, CLASSES, TRAIN = (3, 8, 8), 5, 20  # as in tests/conftest.py
STUDENT = (4, 4, 6, 8)
PARTS = (0, 2, 4), (3, 1)
WIDTHS: Mapping[str, tuple[int, int, int, int]] = {
    "tfkd_self": STUDENT,
    "instance_smoothing": STUDENT,
    "rocket": STUDENT,
    "fskd": STUDENT,
}
"""Widths of the networks of partners, for systems that need others than (6, 6, 8, 10)."""
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "snapshot": {"cycles": 2},
    "dafl": {"latent": 4},
    "dfad": {"latent": 4, "student_steps": 2},
    "fskd": {"images": 12},
    "cfl": {"channels": 3},
}
"""Settings by system, where its own show nothing within two epochs of three steps."""

Systems = Callable[..., System[Any]]


@pytest.fixture(scope="session")
def small_situation(small_network: Callable[..., StagedNetwork]) -> Callable[..., Situation]:
    """Make the situation of a kind of partner; trained teachers are the same for every seed.

    Those of different classes know classes 0, 2 and 4, and 3 and 1.
    """

    def make(
        partner: Partner, seed: int = 0, widths: tuple[int, int, int, int] = (6, 6, 8, 10)
    ) -> Situation:
        def fresh(number: int, other: bool = False) -> StagedNetwork:
            return small_network(1000 * (seed + 1) + number, widths if other else STUDENT)

        partners = {
            Partner.TEACHER: lambda: (small_network(99, widths),),
            Partner.TEACHERS: lambda: (small_network(99, widths), small_network(98, widths)),
            Partner.PARTS: lambda: tuple(
                small_network(99 - number, widths, len(part)) for number, part in enumerate(PARTS)
            ),
            Partner.PEERS: lambda: (fresh(1, other=True),),
            Partner.NONE: lambda: (),
        }
        data = DataFacts(IMAGE, torch.arange(TRAIN) % CLASSES)
        parts = PARTS if partner is Partner.PARTS else ()
        return Situation(small_network(seed), partners[partner](), data, fresh, parts)

    return make


@pytest.fixture(scope="session")
def small_system(small_situation: Callable[..., Situation]) -> Systems:
    """Build a system by its name, in its small situation, in training mode.

    The router, if there is one, has no head start.
    """

    def build(
        name: str, *, seed: int = 0, policy: type[RoutingPolicy] = Always, **settings: Any
    ) -> System[Any]:
        kind = SYSTEMS[name]
        situation = small_situation(kind.partner, seed, WIDTHS.get(name, (6, 6, 8, 10)))
        unbiased = Routing(same_family_bias=0.0)
        situation = replace(situation, policy=policy, routing=unbiased)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            built = kind.of(situation, kind.settings(**{**SETTINGS.get(name, {}), **settings}))
        return built.train()

    return build
