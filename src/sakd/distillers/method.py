"""Methods: one distiller or several joined by hyphens, and whether KD goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.networks.spots import SpotFamily

JOINT = "-"
"""Stands between the distillers of a method; no distiller has it in its name."""

COMPANION = "kd"
"""The distiller that goes with all methods that leave the logits alone."""


def members(method: str) -> tuple[str, ...]:
    """The distillers that ``method`` names, in its order.

    >>> members("at-sp")
    ('at', 'sp')

    Raises:
        UserError: one is unknown or named twice, or stands alone, or KD is named where it goes
            without saying.
    """
    names = tuple(method.split(JOINT))
    for name in names:
        _ = DISTILLERS[name]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"method {method!r} names {name} twice: name it once, and weigh it by "
                f"distillation.weights.{name}"
            )
        if len(names) > 1 and DISTILLERS[name].stands_alone:
            raise UserError(f"method {method!r}: {name} stands alone: leave out what is beside it")
    others = [name for name in names if name != COMPANION]
    if COMPANION in names and others and has_companion(others):
        raise UserError(
            f"method {method!r}: {COMPANION} goes with {JOINT.join(others)} by itself; write "
            f"{JOINT.join(others)!r}, and weigh {COMPANION} by distillation.kd_weight"
        )
    return names


def has_companion(names: Sequence[str]) -> bool:
    """Whether KD goes with ``names``: unless one compares logits already, or stands alone."""
    logits = any(DISTILLERS[name].family is SpotFamily.LOGITS for name in names)
    return not logits and not stands_alone(names)


def stands_alone(names: Sequence[str]) -> bool:
    """Whether neither cross-entropy nor KD goes with the distillers called ``names``."""
    return any(DISTILLERS[name].stands_alone for name in names)


def largest_gamma(names: Sequence[str]) -> float:
    """The factor of the routing loss for distillers together: that of the one that asks most."""
    return max(DISTILLERS[name].gamma for name in names)
