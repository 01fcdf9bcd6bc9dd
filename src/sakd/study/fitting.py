"""Which systems a pair has the partners for."""

from __future__ import annotations

from typing import Any

from sakd.networks.paths import members, split_pair
from sakd.networks.variants import network_of
from sakd.systems import Partner, System


def fits(system: type[System[Any]], pair: str) -> bool:
    """Tell whether ``pair`` has the partners with which ``system`` learns."""
    teacher, student = split_pair(pair)
    if system.partner is Partner.NONE:
        return True
    several = len(members(teacher)) > 1
    same = network_of(teacher) == student or not system.same_network
    return several == (system.partner is Partner.TEACHERS) and same
