"""Problems of distillation, and the objectives that can be built for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from torch import Tensor

from sakd.data import Groups
from sakd.distillers.method import Method
from sakd.distillers.phases import PhasePlan
from sakd.networks import StagedNetwork
from sakd.objectives.base import Objective
from sakd.objectives.parameters import Distillation, Routing
from sakd.routing import RoutingPolicy
from sakd.tasks import CLASSIFICATION, Task


@dataclass(frozen=True)
class DataFacts:
    """The facts about the data that an objective depends on.

    Attributes:
        image_shape: (C, H, W).
        train_labels: The labels (N,) of the training images.
        task: The task that the labels set.
    """

    image_shape: tuple[int, ...]
    train_labels: Tensor
    task: Task = CLASSIFICATION


@dataclass(frozen=True)
class Problem:
    """A student, its teacher, and how the one learns from the other.

    Attributes:
        student: The network to train; some methods rebuild it first.
        teacher: A trained network.
        method: The distillers, which say what is compared.
        policy: The policy, which says for which samples and at which spots.
        data: The shape of the images, and the labels.
        distillation: The weights of the losses.
        routing: How the policy is trained.
        phase: The phase of the training that is meant; None for all of it.
    """

    student: StagedNetwork
    teacher: StagedNetwork
    method: Method
    policy: type[RoutingPolicy]
    data: DataFacts
    distillation: Distillation = field(default_factory=Distillation)
    routing: Routing = field(default_factory=Routing)
    phase: PhasePlan | None = None

    @property
    def options(self) -> Mapping[str, Any]:
        """The settings that are given for the objective."""
        distillation = self.distillation
        return distillation.objective_options.get(distillation.objective, {})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of an objective, as fields with defaults; most objectives have none."""

    def __post_init__(self) -> None:
        """Check the values; a class with fields checks its own, and calls this of its bases."""

    @property
    def groups(self) -> Groups | None:
        """How images come together in batches; None for any order, each once an epoch."""
        return None


class Buildable(Objective):
    """An objective that can be built from a `Problem`: an entry of `OBJECTIVES`.

    Attributes:
        distils: Whether a teacher takes part.
        settings: The settings that it takes, see `Problem.options`.
        mixes: Whether it mixes images itself, so that those that it is given may not be mixed.
    """

    distils: ClassVar[bool] = True
    settings: ClassVar[type[Settings]] = Settings
    mixes: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective.

        Raises:
            UserError: The networks cannot be compared.
        """

    @classmethod
    def changes_teacher(cls) -> bool:
        """Tell whether the teacher is trained too, and so cannot be shared with others."""
        return False

    @classmethod
    def check(cls, method: Method) -> None:
        """Refuse a ``method`` that this objective cannot train; most objectives train any.

        Raises:
            UserError: The method is such a one.
        """
