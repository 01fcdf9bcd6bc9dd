"""The graft: one multi-path forward pass through student and teacher, steered by the gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn

from sakd.networks import StagedNetwork
from sakd.networks.adapters import adapter
from sakd.networks.spots import Spot
from sakd.objectives.branches import IN_LINE, Branches

Shape = tuple[int, ...]


class Graft(nn.Module):
    """Run both networks and exchange their features at every spot where the gate is open.

    Song et al., arXiv:2205.02399. After spot k, with gate a and adapters h, h':
    t <- (1 - a) h(s) + a t and s <- (1 - a) s + a h'(t); at the end the two logits are mixed by
    the last gate. So gate 0 everywhere gives the student's logits, 1 the teacher's.
    """

    def __init__(
        self,
        spots: Sequence[Spot],
        student_shapes: Sequence[Shape],
        teacher_shapes: Sequence[Shape],
    ) -> None:
        """Make both adapters of every spot.

        Args:
            spots: The spots in order of depth; the last, the logits, needs no adapter.
            student_shapes: The student's features there, without the logits, such as (C, H, W).
            teacher_shapes: The teacher's.
        """
        super().__init__()
        self.spots = tuple(spots)
        pairs = list(zip(student_shapes, teacher_shapes, strict=True))
        self.to_teacher = nn.ModuleList(adapter(student, teacher) for student, teacher in pairs)
        self.to_student = nn.ModuleList(adapter(teacher, student) for student, teacher in pairs)

    def forward(
        self,
        student: StagedNetwork,
        teacher: StagedNetwork,
        images: Tensor,
        reached: Tensor,
        gate: Tensor,
        branches: Branches = IN_LINE,
        begun: Tensor | None = None,
    ) -> Tensor:
        """Compute the grafted logits (B, K), differentiable in the gate and the adapters only.

        Up to the first spot nothing depends on the gate: the teacher's feature there
        (``reached``) is taken as given, and the student runs without gradient. The graft leaves
        both networks in their mode, which should be evaluation.

        Args:
            student: The student.
            teacher: The teacher.
            images: (B, C, H, W).
            reached: The teacher's feature of ``images`` at the first spot, (B, ...), without
                gradient.
            gate: (B, D), one column per spot; 1 takes the teacher's feature, 0 the student's.
            branches: Compute the student's side beside the teacher's, from spot to spot.
            begun: What `begin` gives for ``images``; None to compute it here.
        """
        s, t = self.begin(student, images) if begun is None else begun, reached
        with without_weight_gradients(student), without_weight_gradients(teacher):
            for k, (spot, following) in enumerate(pairwise(self.spots)):
                weight = gate[:, k]
                with branches.branch("grafted student", s, t, weight) as wait:
                    mixed = _mix(weight, s, self.to_student[k](t))
                    further = student.run(mixed, spot.student + 1, following.student + 1)
                mixed = _mix(weight, self.to_teacher[k](s), t)
                t = teacher.run(mixed, spot.teacher + 1, following.teacher + 1)
                wait()
                s = further
        return _mix(gate[:, -1], s, t)

    @torch.no_grad()
    def begin(self, student: StagedNetwork, images: Tensor) -> Tensor:
        """Run the ``student`` on ``images`` (B, C, H, W) up to the first spot, as `forward` does.

        So far nothing depends on the gate.

        Returns:
            The student's feature there, (B, ...), without gradient.
        """
        return student.run(images, 0, self.spots[0].student + 1)


def _mix(gate: Tensor, student: Tensor, teacher: Tensor) -> Tensor:
    weight = gate.view(-1, *[1] * (student.dim() - 1))
    return torch.lerp(student, teacher.to(student.dtype), weight.to(student.dtype))


@contextmanager
def without_weight_gradients(network: nn.Module) -> Iterator[None]:
    """Turn the gradients of the weights off: they would be computed and thrown away."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
