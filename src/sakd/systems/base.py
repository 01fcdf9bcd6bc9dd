"""The interface of systems: ways to learn other than distillation from one teacher at spots."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Generic, Self, TypeVar

from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Distillation, Objective, Routing, Settings
from sakd.routing import RoutingPolicy
from sakd.routing.always import Always

S = TypeVar("S", bound=Settings)


class Partner(Enum):
    """The networks that a student learns with."""

    TEACHER = "a trained teacher"
    TEACHERS = "several trained teachers"
    PARTS = "trained teachers of different classes"
    PEERS = "fresh networks"
    NONE = "no other network"

    @property
    def trained(self) -> bool:
        """Tell whether teachers must be trained first."""
        return self is Partner.TEACHER or self.several

    @property
    def several(self) -> bool:
        """Tell whether there are several teachers."""
        return self in (Partner.TEACHERS, Partner.PARTS)


@dataclass(frozen=True)
class Situation:
    """The networks and data of one training.

    Attributes:
        student: The network to train, with fresh weights.
        partners: The trained teachers, in the order of the pair; or a fresh network of the name
            that stands for the teacher, ``fresh(0, True)``; or none. See `System.partner`.
        data: The shape of the images, and the labels.
        fresh: Builds another network of the name of the student, or of the partner for True, with
            fresh weights of its own: ``fresh(number, partner)``. The same number gives the same
            weights, and those of the student have no number.
        parts: The numbers of the classes that each teacher knows; none where all know all.
        epochs: The passes over the training images; None where they are not known.
        distillation: The weights and options of distillers, for a system that `distils`; for others
            the memory for kept outputs of the teacher alone.
        policy: The policy that routes; for all systems that are not `routable` the plain one.
        routing: How the policy is trained.
    """

    student: StagedNetwork
    partners: tuple[StagedNetwork, ...]
    data: DataFacts
    fresh: Callable[[int, bool], StagedNetwork]
    parts: tuple[tuple[int, ...], ...] = ()
    epochs: int | None = None
    distillation: Distillation = field(default_factory=Distillation)
    policy: type[RoutingPolicy] = Always
    routing: Routing = field(default_factory=Routing)


class System(Objective, Generic[S]):
    """An objective that is a way of learning of its own: an entry of `SYSTEMS`.

    `network` is what is evaluated, kept and named: the plain student, whatever was trained beside
    it. Others that are worth a number are `further_networks`. The class is derived from
    ``System[MySettings]``, or from ``System[Settings]`` where it has no settings.

    Attributes:
        partner: The networks that the student learns with.
        settings: The settings that it takes, with the published values as defaults.
        images: Whether images are looked at at all.
        distils: Whether it reads the weights and options of distillers.
        same_network: Whether the partner must be of the student's own network.
        pruned: Whether the student must be its partner's network with fewer channels inside.
        passes: The epochs of its training, where no recipe has a say as it learns without
            gradients; None for those of the recipe.
        routable: Whether policies other than the plain one can route it.
        trains_teacher: Whether its teacher learns too, and so is its own; else it is frozen, and
            may be shared with other trainings.
    """

    partner: ClassVar[Partner]
    settings: ClassVar[type[Settings]] = Settings
    images: ClassVar[bool] = True
    distils: ClassVar[bool] = False
    same_network: ClassVar[bool] = False
    pruned: ClassVar[bool] = False
    passes: ClassVar[int | None] = None
    routable: ClassVar[bool] = False
    trains_teacher: ClassVar[bool] = False

    @classmethod
    def named(cls, _settings: S) -> Iterable[object]:
        """Name the classes that it finds by its settings, whose code counts too; often none."""
        return ()

    @classmethod
    @abstractmethod
    def of(cls, situation: Situation, settings: S) -> Self:
        """Build the system for the networks and data of ``situation``.

        Args:
            situation: The networks and the data.
            settings: An instance of the class `settings`.

        Raises:
            UserError: The networks or the data do not fit, or a setting does not.
        """
