"""The two kinds of teacher: one that is frozen, and one that learns along with its student."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.objectives.outputs import Outputs
from sakd.objectives.router import Router
from sakd.tasks import Task


class Teaching(ABC):
    """The role of the teacher in `SpotDistillation`.

    Attributes:
        learns: Whether the teacher is trained too, by the loss of the student.
    """

    learns: ClassVar[bool]

    @abstractmethod
    def supervision(self, task: Task, seen: Outputs, batch: Batch) -> dict[str, Tensor]:
        """Compute the label losses, by name, of the teacher's outputs ``seen`` in this step."""

    @abstractmethod
    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """Give the teacher's feature (B, ...) at ``depth``, in evaluation mode, without gradient.

        Args:
            teacher: The teacher, put into evaluation mode.
            images: (B, C, H, W).
            depth: The number of the stage.
            seen: The teacher's outputs for ``images`` in this step.
        """

    @abstractmethod
    def routing_loss(
        self,
        router: Router,
        grafted: Tensor,
        student: Tensor,
        gate: Tensor,
        cost: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss of the router.

        Args:
            router: The router, whose gamma counts.
            grafted: The label loss of the graft, a scalar.
            student: The label loss of the student, a scalar without gradient.
            gate: The decisions at the logits (B,).
            cost: The policy's own cost, a scalar, if it has one.
        """


class FrozenTeacher(Teaching):
    """A trained teacher that stays as it is."""

    learns = False

    def supervision(self, task: Task, seen: Outputs, batch: Batch) -> dict[str, Tensor]:
        """Give no loss."""
        return {}

    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """Give the feature that was seen: the mode was evaluation then, too."""
        return seen.closed[depth]

    def routing_loss(
        self,
        router: Router,
        grafted: Tensor,
        student: Tensor,
        gate: Tensor,
        cost: Tensor | None = None,
    ) -> Tensor:
        """Compute `Router.loss`."""
        return router.loss(grafted, student, gate, cost)


class LearningTeacher(Teaching):
    """A teacher that learns from the labels and from the losses that it shares with its student.

    The published code of Song et al., arXiv:2205.02399 (``train_both.py``); the paper has no such
    experiment. The ``student`` player holds the teacher too and minimises
    ``ce_weight`` (CE_s + CE_t) + sum_m w_m sum_k (n_k / B) L_m,k, with the gradient of the
    teacher's features. The ``router`` minimises gamma CE of the graft, for which both networks
    are in evaluation mode; neither the student's cross-entropy nor the rate of the last gate is
    part of it, unless the policy has a cost of its own. The teacher starts from its given weights
    and changes in place.
    Differs from the reference: there, the router's learning rate has a factor of 1/100 up to epoch
    150 and of 1/10 after it; here the router follows the schedule of the others. There, gamma
    weights the cross-entropies too; here ``ce_weight`` alone does.
    """

    learns = True

    def supervision(self, task: Task, seen: Outputs, batch: Batch) -> dict[str, Tensor]:
        """Compute the teacher's own label loss."""
        return {"teacher_cross_entropy": task.loss(seen.logits, batch)}

    @torch.no_grad()
    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """Run the teacher again: its outputs in this step are of training mode."""
        return teacher.run(images, 0, depth + 1)

    def routing_loss(
        self,
        router: Router,
        grafted: Tensor,
        student: Tensor,
        gate: Tensor,
        cost: Tensor | None = None,
    ) -> Tensor:
        """Compute gamma times the label loss of the graft, and add the policy's cost if any."""
        loss = router.gamma * grafted
        return loss if cost is None else loss + cost
