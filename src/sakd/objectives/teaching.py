"""Who teaches: a teacher that stays as it is, or one that learns along with its student."""

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
    """The part of a teacher in `SpotDistillation`.

    Attributes:
        learns: Whether the teacher is trained too, by the loss of the student.
    """

    learns: ClassVar[bool]

    @abstractmethod
    def supervision(self, task: Task, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The losses, by name, that labels demand of the teacher's ``logits`` (B, K)."""

    @abstractmethod
    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """The teacher's feature at ``depth``, in evaluation mode and without gradient.

        Args:
            teacher: In evaluation mode now.
            images: (B, C, H, W).
            depth: Number of the stage.
            seen: What the teacher gave for ``images`` in this step.
        """

    @abstractmethod
    def routing_loss(
        self, router: Router, grafted: Tensor, student: Tensor, gate: Tensor
    ) -> Tensor:
        """The loss of the router, from the label losses of graft and student and a gate (B,)."""


class FrozenTeacher(Teaching):
    """The teacher is trained already and stays as it is."""

    learns = False

    def supervision(self, task: Task, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """What was seen already: the mode is the same."""
        return seen.closed[depth]

    def routing_loss(
        self, router: Router, grafted: Tensor, student: Tensor, gate: Tensor
    ) -> Tensor:
        """See `Router.loss`."""
        return router.loss(grafted, student, gate)


class LearningTeacher(Teaching):
    """The teacher learns from the labels and from what it exchanges with its student.

    The published code of Song et al., arXiv:2205.02399 (``train_both.py``); the paper has no such
    experiment. The ``student`` player holds the teacher too and minimises
    ``ce_weight`` (CE_s + CE_t) + sum_m w_m sum_k (n_k / B) L_m,k, with the gradient of the
    teacher's features. The ``router`` minimises gamma CE of the graft, for which both networks
    are in evaluation mode; neither the student's cross-entropy nor the rate of the last gate has
    a part in it. The teacher starts from the weights it comes with and changes in place.
    Differs from the reference: its rate of the router is 1/100 up to epoch 150 and rises to 1/10
    then; here the router follows the schedule of the others. Its gamma weighs the cross-entropies
    too; here ``ce_weight`` alone does.
    """

    learns = True

    def supervision(self, task: Task, logits: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The teacher's own label loss."""
        return {"teacher_cross_entropy": task.loss(logits, batch)}

    @torch.no_grad()
    def reached(self, teacher: StagedNetwork, images: Tensor, depth: int, seen: Outputs) -> Tensor:
        """Run the teacher again: the pass that was seen was in training mode."""
        return teacher.run(images, 0, depth + 1)

    def routing_loss(
        self, router: Router, grafted: Tensor, student: Tensor, gate: Tensor
    ) -> Tensor:
        """Gamma times the label loss of the graft."""
        return router.gamma * grafted
