"""Distillation by singular value decomposition."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from sakd.distillers.parts.neighbours import Both, Couples
from sakd.distillers.parts.singular import principal_directions

CANDIDATES = 4
"""Number of the student's singular vectors of which the best match is taken."""


class SingularDirections(Couples):
    """Match the change of the channels' principal direction from stage to stage.

    Lee, Kim & Song, ECCV 2018, arXiv:1807.06819, with one direction.
    Loss, summed over neighbouring stages: 1/B sum_b || R_s - R_t ||_F^2,
    R[c, d] = exp(-(v_1[c] - v_2[d])^2 / 8). v is the teacher's first right singular vector of the
    maps (HW x C) of a stage, and for the student the one of the first four nearest to it. A
    teacher that is trained too gets no gradient.
    Differs from the SAKD reference: the teacher's vector has the sign that makes its sum positive,
    so the value does not depend on a library's choice of signs; gradients are always finite.
    """

    def describe(self, student: Tensor, teacher: Tensor) -> Both:
        """Find the two directions (B, C) of maps (B, C, H, W), see `Couples.describe`."""
        with torch.no_grad():
            wanted, strength = principal_directions(teacher.flatten(2).mT, 1)
            flip = torch.where(wanted.sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
            wanted = (wanted * flip).squeeze(2)
            scale = normalize(strength)  # 1, or 0 for a teacher's maps of zeros
        candidates, _ = principal_directions(student.flatten(2).mT, CANDIDATES)
        cosine = torch.einsum("bck,bc->bk", candidates, wanted)
        nearest = cosine.detach().abs().argmax(dim=1, keepdim=True)
        found = candidates.gather(2, nearest[:, None].expand(-1, candidates.shape[1], -1))
        found = found.squeeze(2) * cosine.detach().gather(1, nearest).sign()
        return found * scale, wanted * scale

    def error(self, first: Both, second: Both) -> Tensor:
        """See `Couples.error`; directions (B, C) from `describe`."""
        (student, teacher), (next_student, next_teacher) = first, second
        difference = kernel(student, next_student) - kernel(teacher, next_teacher)
        return difference.square().sum(dim=(1, 2))


def kernel(first: Tensor, second: Tensor) -> Tensor:
    """Compute the matrix R (B, C_1, C_2) of directions (B, C_1) and (B, C_2)."""
    return (-(first[:, :, None] - second[:, None]).square() / 8).exp()
