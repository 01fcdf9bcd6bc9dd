"""Distillation from the joined logits of teachers of different classes, and nothing else."""

from __future__ import annotations

from sakd.systems.parts.amalgam import Amalgamation, AmalgamationSettings


class JoinedKD(Amalgamation[AmalgamationSettings]):
    """Follow the joined logits of teachers that know different classes, without labels.

    A control for systems that add features to it: the loss is that of `Amalgamation` alone.
    """

    settings = AmalgamationSettings
