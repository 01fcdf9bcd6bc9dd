"""Networks that learn beside the student, and the names of what they do."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.networks import StagedNetwork, probe
from sakd.objectives import Player
from sakd.systems.base import Situation

STUDENT = "student"
"""The name of the student among the players."""

MOST = 100
"""Settings that ask for more networks or tails are taken for a slip."""


def peers_of(situation: Situation, count: int) -> list[StagedNetwork]:
    """Give ``count`` peers: the partner, and others of its kind with fresh weights of their own.

    Raises:
        UserError: They do not have the classes of the student.
    """
    (first,) = situation.partners
    peers = [first, *(situation.fresh(number, True) for number in range(2, count + 1))]
    check_classes(situation, peers)
    return peers


def require_few(**counts: int) -> None:
    """Check the named numbers of what is trained side by side before any of it is made.

    Raises:
        UserError: A number is above `MOST`.
    """
    for name, count in counts.items():
        require(count <= MOST, f"{name} must be at most {MOST}, got {count}: each one is trained")


def check_classes(situation: Situation, others: Sequence[StagedNetwork]) -> None:
    """Check that ``others`` have the classes of the student of ``situation``.

    Raises:
        UserError: One of them has not.
    """
    shape = situation.data.image_shape
    ours, *theirs = (len(probe(n, shape).logits[0]) for n in (situation.student, *others))
    for count in theirs:
        require(
            count == ours,
            f"the student has {ours} classes and a network beside it {count}: build both for the "
            "classes of the data",
        )


def names_of(peers: int) -> list[str]:
    """Name the student and so many peers as players: ``peer1`` is the first peer."""
    return [STUDENT, *(f"peer{number}" for number in range(1, peers + 1))]


def learner(name: str, *modules: nn.Module) -> Player:
    """Make the player called ``name`` of ``modules``; every peer has the recipe of the student."""
    return Player.of(*modules)._replace(like=None if name == STUDENT else STUDENT)


def terms_of(player: str, **terms: Tensor) -> dict[str, Tensor]:
    """Detach ``terms`` for the log, and add the name of the ``player`` unless it is the student."""
    end = "" if player == STUDENT else f"_{player}"
    return {f"{name}{end}": term.detach() for name, term in terms.items()}
