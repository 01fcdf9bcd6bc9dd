"""Distillation at spots from a teacher that is trained along with its student."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.objectives.base import label_loss
from sakd.objectives.outputs import Outputs
from sakd.objectives.spot_distillation import SpotDistillation


class JointDistillation(SpotDistillation):
    """Train student and teacher together, each by the labels and both by what they exchange.

    The published code of Song et al., arXiv:2205.02399 (``train_both.py``); the paper has no such
    experiment. The ``student`` player holds the teacher too and minimises
    ``ce_weight`` (CE_s + CE_t) + sum_m w_m sum_k (n_k / B) L_m,k, in which the teacher's features
    want their gradient. The ``router`` minimises gamma CE of the graft, for which both networks
    are in evaluation mode; neither the student's cross-entropy nor the rate of the last gate has
    a part in it. The teacher starts from the weights it comes with and changes in place; it is
    part of the progress, and the student is still what the training is about.
    Differs from the reference: its rate of the router is 1/100 up to epoch 150 and rises to 1/10
    then; here the router follows the schedule of the others. Its gamma weighs the cross-entropies
    too; here ``ce_weight`` alone does.
    """

    frozen = ()

    def players(self) -> dict[str, list[nn.Parameter]]:
        """Student with teacher and distillers, and router if there is one."""
        players = super().players()
        players["student"] += self.teacher.parameters()
        return players

    def teach(self, images: Tensor) -> Outputs:
        """What the teacher gives for ``images`` (B, C, H, W), with gradient."""
        return self.outputs(self.teacher, images)

    def supervision(self, student: Tensor, teacher: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The cross-entropies of both networks, from their logits (B, K)."""
        own = super().supervision(student, teacher, batch)
        return {**own, "teacher_cross_entropy": label_loss(teacher, batch)}

    @torch.no_grad()
    def reached(self, images: Tensor, _teacher: Outputs) -> Tensor:
        """The teacher's feature at the first spot, anew: the plain pass was in training mode."""
        return self.teacher.run(images, 0, self.spots[0].teacher + 1)

    def routing_loss(self, grafted_ce: Tensor, _student_ce: Tensor, _gate: Tensor) -> Tensor:
        """Gamma times the cross-entropy of the graft."""
        return self.router.gamma * grafted_ce
