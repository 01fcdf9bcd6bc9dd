"""Tails: the last stages of a network, for the features of another one."""

from __future__ import annotations

from sakd.foundation.errors import require
from sakd.networks import Chain, StagedNetwork

AFTER = 2
"""Stages after the last map: embedding and head."""


def tail(network: StagedNetwork, start: int) -> StagedNetwork:
    """Give the stages of ``network`` from ``start`` on as a network, with the same weights.

    It maps feature ``start - 1`` of a network of the same name, or images for 0, to logits (B, K).
    """
    stages = list(network.stage_modules().items())[start:]
    return Chain(dict(stages), family=network.family)


def last_stage(network: StagedNetwork, back: int = 0) -> int:
    """Give the number of the stage that makes the last map, or of one that is ``back`` before it.

    Raises:
        UserError: There is no stage before it.
    """
    number = len(network.stage_names) - 1 - AFTER - back
    stages = ", ".join(network.stage_names)
    require(
        number >= 1,
        f"a network of the stages {stages} has none that branches could share: take one with "
        f"{2 + back + AFTER} stages or more",
    )
    return number
