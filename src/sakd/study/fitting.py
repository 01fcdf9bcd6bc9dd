"""Which systems a pair has the partners for."""

from __future__ import annotations

from typing import Any

from sakd.foundation.names import base_of
from sakd.networks.paths import members, split_pair
from sakd.networks.variants import network_of
from sakd.systems import Partner, System


def fits(system: type[System[Any]], pair: str) -> bool:
    """Tell whether ``pair`` has the partners with which ``system`` learns."""
    teacher, student = split_pair(pair)
    if system.partner is Partner.NONE:
        return True
    several, network = len(members(teacher)) > 1, network_of(teacher)
    same = network == student or not system.same_network
    cut = (network != student and base_of(network) == base_of(student)) or not system.pruned
    return several == (system.partner is Partner.TEACHERS) and same and cut
