"""Grafts of a student with several teachers: one forward pass, steered by who is chosen where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from sakd.networks import StagedNetwork
from sakd.objectives.graft import Graft, without_weight_gradients


class Grafts(nn.Module):
    """Run a student and M teachers, and exchange their features at every spot.

    Proposed here. After spot k, with gates a_1 .. a_M, at most one of them 1, and the adapters h_m,
    h'_m of the graft with teacher m: s <- (1 - sum_m a_m) s + sum_m a_m h'_m(t_m), and
    t_m <- (1 - a_m) h_m(s_m) + a_m t_m, where s_m is the new s with a_m = 0: what the student and
    the other teachers made. At the end the logits are mixed as s is. So all paths go on from the
    network that was chosen, and with one teacher this is the graft of Song et al.,
    arXiv:2205.02399, see `Graft`.
    """

    def __init__(self, grafts: Sequence[Graft]) -> None:
        """Join the ``grafts`` of each teacher, whose spots are at the same stages of the student.

        Args:
            grafts: The adapters of each; that they are run together is all that changes.
        """
        super().__init__()
        self.grafts = nn.ModuleList(grafts)

    def forward(
        self,
        student: StagedNetwork,
        teachers: Sequence[StagedNetwork],
        images: Tensor,
        reached: Sequence[Tensor],
        gates: Tensor,
    ) -> Tensor:
        """Compute the grafted logits (B, K), differentiable in the gates and the adapters only.

        Args:
            student: The student, in evaluation mode.
            teachers: The teachers, likewise.
            images: (B, C, H, W).
            reached: The feature (B, ...) of each teacher at its first spot, without gradient.
            gates: (B, spots, M), of 0 or 1, at most one of a spot 1.
        """
        grafts = self._each()
        s, ts = grafts[0].begin(student, images), list(reached)
        with ExitStack() as stack:
            for network in (student, *teachers):
                stack.enter_context(without_weight_gradients(network))
            for k, (here, there) in enumerate(pairwise(grafts[0].spots)):
                s, ts = self._exchange(k, s, ts, gates[:, k])
                s = student.run(s, here.student + 1, there.student + 1)
                places = zip(grafts, teachers, ts, strict=True)
                ts = [_on(graft, k, teacher, t) for graft, teacher, t in places]
        return mixed(s, ts, gates[:, -1])

    def _exchange(
        self, k: int, s: Tensor, ts: Sequence[Tensor], gates: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        grafts = self._each()
        offers = [graft.to_student[k](t) for graft, t in zip(grafts, ts, strict=True)]
        others = (mixed(s, offers, without) for without in _without_each(gates))
        moved = [graft.to_teacher[k](other) for graft, other in zip(grafts, others, strict=True)]
        new = [
            mixed(offer, [t], gate[:, None])
            for offer, t, gate in zip(moved, ts, gates.unbind(dim=1), strict=True)
        ]
        return mixed(s, offers, gates), new

    def _each(self) -> list[Graft]:
        return cast("list[Graft]", list(self.grafts))


def mixed(own: Tensor, others: Sequence[Tensor], gates: Tensor) -> Tensor:
    """Mix (1 - sum_m g_m) ``own`` and sum_m g_m ``others``, features (B, ...), by (B, M) gates."""
    shape = (-1, *[1] * (own.dim() - 1))
    weights = [gate.view(shape).to(own.dtype) for gate in gates.unbind(dim=1)]
    rest = (1 - gates.sum(dim=1)).view(shape).to(own.dtype)
    parts = (w * other.to(own.dtype) for w, other in zip(weights, others, strict=True))
    return sum(parts, rest * own)


def _without_each(gates: Tensor) -> Iterator[Tensor]:
    """Yield the ``gates`` (B, M) without that of each teacher."""
    keep = 1 - torch.eye(gates.shape[1], dtype=gates.dtype, device=gates.device)
    return (gates * row for row in keep)


def _on(graft: Graft, k: int, teacher: StagedNetwork, feature: Tensor) -> Tensor:
    """Run ``teacher`` from spot ``k`` to the next."""
    here, there = graft.spots[k : k + 2]
    return teacher.run(feature, here.teacher + 1, there.teacher + 1)
