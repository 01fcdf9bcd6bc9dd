"""Which methods a pair of networks has the partners for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import base_of
from sakd.foundation.vocabulary import NONE
from sakd.networks.paths import members, split_pair
from sakd.networks.variants import network_of
from sakd.systems import SYSTEMS, Partner, System, system_of


def fits(system: type[System[Any]], pair: str) -> bool:
    """Tell whether ``pair`` has the partners with which ``system`` learns."""
    teacher, student = split_pair(pair)
    if system.partner is Partner.NONE:
        return True
    network = network_of(teacher)
    same = network == student or not system.same_network
    cut = (network != student and base_of(network) == base_of(student)) or not system.pruned
    return _as_many(system, teacher) and same and cut


def fits_somewhere(system: type[System[Any]], pairs: Sequence[str]) -> bool:
    """Tell whether ``system`` fits every one of ``pairs`` in which it takes part, and some do."""
    own = [pair for pair in pairs if _as_many(system, split_pair(pair)[0])]
    return bool(own) and all(fits(system, pair) for pair in own)


def takes_part(method: str, teacher: str) -> bool:
    """Tell whether ``method`` is trained in pairs of as many teachers as ``teacher`` stands for.

    Distillers learn from one, systems from one, from several, or from none.
    """
    return method == NONE or _as_many(system_of(method), teacher)


def _as_many(system: type[System[Any]] | None, teacher: str) -> bool:
    if system is not None and system.partner is Partner.NONE:
        return True
    several = system is not None and system.partner.several
    return several == (len(members(teacher)) > 1)


def check_pairs(pairs: Sequence[str], methods: Collection[str]) -> None:
    """Check that distillers have a pair of one teacher, and that every pair has a method.

    Raises:
        UserError: Distillers have none, or a pair has none.
    """
    distillers = [name for name in methods if name != NONE and system_of(name) is None]
    teachers = [split_pair(pair)[0] for pair in pairs]
    if distillers and not any(takes_part(distillers[0], teacher) for teacher in teachers):
        raise UserError(_without_single(pairs[0]))
    for pair, teacher in zip(pairs, teachers, strict=True):
        found = f"grid.pairs: the grid has no method for {pair!r}"
        some = any(takes_part(name, teacher) for name in methods)
        require(some, f"{found}: leave the pair out, or name one in grid.systems")


def _without_single(pair: str) -> str:
    teacher, student = split_pair(pair)
    several = members(teacher)
    own = f"name one of its teachers in a pair of its own too, {several[0]}/{student}"
    fit = [name for name, kind in SYSTEMS.items() if kind.partner is Partner.TEACHERS]
    return (
        f"grid.pairs: {pair!r} has {len(several)} teachers, and distillers learn from one: {own}, "
        f"or leave distillers out (grid.distillers=[]) for the systems of several: {', '.join(fit)}"
    )
