"""Methods: the distillers that share a student's loss, and what follows from their company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sakd.distillers import DISTILLERS
from sakd.distillers.base import Distiller
from sakd.foundation.errors import UserError, require
from sakd.networks.rebuilt import Rebuilding
from sakd.networks.spots import SpotFamily

JOINT = "-"
"""Stands between the distillers of a method; no distiller has it in its name."""

COMPANION = "kd"
"""The distiller that joins every method which leaves the logits alone."""


@dataclass(frozen=True)
class Method:
    """One distiller, or several that share the student's loss.

    Attributes:
        distillers: The classes, by name, in the order given.
    """

    distillers: Mapping[str, type[Distiller]]

    def __post_init__(self) -> None:
        """Refuse distillers that cannot share a loss."""
        object.__setattr__(self, "distillers", MappingProxyType(dict(self.distillers)))
        for name, kind in self.distillers.items():
            if len(self.distillers) > 1 and kind.stands_alone:
                raise UserError(f"method {self.name!r}: {name} stands alone: leave out the others")
        rebuild = [name for name, kind in self.distillers.items() if kind.rebuilding is not None]
        require(
            len(rebuild) <= 1,
            f"method {self.name!r}: {' and '.join(rebuild)} each rebuild the student: keep one",
        )
        asking = [name for name, kind in self.distillers.items() if kind.objective is not None]
        require(
            len({self.distillers[name].objective for name in asking}) <= 1,
            f"method {self.name!r}: {' and '.join(asking)} each need an objective of their own: "
            "keep one",
        )
        others = {name: kind for name, kind in self.distillers.items() if name != COMPANION}
        if COMPANION in self.distillers and others and Method(others).companion:
            joined = JOINT.join(others)
            raise UserError(
                f"method {self.name!r}: {COMPANION} joins {joined} by itself; write {joined!r}, "
                f"and weigh {COMPANION} by distillation.kd_weight"
            )

    @classmethod
    def of(cls, method: Method | type[Distiller] | str) -> Method:
        """The method that a name, several names joined by hyphens, or a class stands for.

        >>> list(Method.of("at-sp").distillers)
        ['at', 'sp']

        Raises:
            UserError: A name is unknown or stands twice, or the distillers cannot share a loss.
        """
        if isinstance(method, Method):
            return method
        if isinstance(method, type):
            return cls({DISTILLERS.name_of(method): method})
        names = method.split(JOINT)
        for name in names:
            require(
                names.count(name) == 1,
                f"method {method!r} names {name} twice: name it once, and weigh it by "
                f"distillation.weights.{name}",
            )
        return cls({name: DISTILLERS[name] for name in names})

    @property
    def name(self) -> str:
        """The names of its distillers, joined."""
        return JOINT.join(self.distillers)

    @property
    def stands_alone(self) -> bool:
        """Whether its distiller takes neither cross-entropy nor KD into the loss."""
        return any(kind.stands_alone for kind in self.distillers.values())

    @property
    def companion(self) -> bool:
        """Whether KD joins it: unless a distiller compares logits already, or stands alone."""
        kinds = self.distillers.values()
        comparing = [kind for kind in kinds if kind.sensitivity is None]
        logits = any(kind.family is SpotFamily.LOGITS for kind in comparing)
        return not logits and not self.stands_alone

    @property
    def everyone(self) -> Mapping[str, type[Distiller]]:
        """Its distillers, after the KD that joins them."""
        first = {COMPANION: DISTILLERS[COMPANION]} if self.companion else {}
        return {**first, **self.distillers}

    @property
    def rebuilding(self) -> Rebuilding | None:
        """How the student is rebuilt before it is trained, if at all."""
        found = (kind.rebuilding for kind in self.distillers.values())
        return next((rebuilding for rebuilding in found if rebuilding is not None), None)

    @property
    def gamma(self) -> float:
        """The factor of the routing loss: that of the distiller that asks most."""
        return max(kind.gamma for kind in self.distillers.values())

    def trained_name(self, student: str, teacher: str) -> str:
        """The name of the network that is trained, from the names of both networks."""
        return student if self.rebuilding is None else self.rebuilding.name(student, teacher)
