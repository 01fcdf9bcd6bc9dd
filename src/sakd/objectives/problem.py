"""Problems of distillation, and the objectives that can be built for them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Self

from torch import Tensor

from sakd.distillers.method import Method
from sakd.networks import StagedNetwork
from sakd.objectives.base import Objective
from sakd.objectives.parameters import Distillation, Routing
from sakd.routing import RoutingPolicy
from sakd.tasks import CLASSIFICATION, Task


@dataclass(frozen=True)
class DataFacts:
    """What an objective must know of the data.

    Attributes:
        image_shape: (C, H, W).
        train_labels: (N,), of the training images.
        task: What the labels demand.
    """

    image_shape: tuple[int, ...]
    train_labels: Tensor
    task: Task = CLASSIFICATION


@dataclass(frozen=True)
class Problem:
    """A student, its teacher, and how the one learns from the other.

    Attributes:
        student: To be trained; where the method rebuilds it, what is made of it is trained.
        teacher: Trained already.
        method: What is compared.
        policy: For which samples, at which spots.
        data: Shapes and labels.
        distillation: Weights of the losses.
        routing: Training of the policy.
    """

    student: StagedNetwork
    teacher: StagedNetwork
    method: Method
    policy: type[RoutingPolicy]
    data: DataFacts
    distillation: Distillation = field(default_factory=Distillation)
    routing: Routing = field(default_factory=Routing)


class System(Objective):
    """An objective that can be built from a `Problem`: an entry of `OBJECTIVES`.

    Attributes:
        distils: Whether a teacher takes part.
    """

    distils: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def of(cls, problem: Problem) -> Self:
        """Build the objective.

        Raises:
            UserError: The networks cannot be compared.
        """

    @classmethod
    def check(cls, method: Method) -> None:
        """Refuse a ``method`` that this objective cannot train; most train any.

        Raises:
            UserError: It cannot.
        """
