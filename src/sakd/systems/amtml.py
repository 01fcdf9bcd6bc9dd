"""Teachers weighted for every image by what is learnt: AMTML-KD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, smooth_l1_loss

from sakd.data import Batch
from sakd.distillers.parts.logits import divergence
from sakd.distillers.parts.maps import squared
from sakd.distillers.rkd import angles, distances
from sakd.foundation.errors import require, require_not_negative
from sakd.objectives import Optimisation, Outputs, Phase, Player, StepResult
from sakd.systems.base import Situation
from sakd.systems.parts.normed import by_position
from sakd.systems.parts.teachers import FromTeachers, shares_shown
from sakd.systems.parts.weighted import WeightedSettings

WEIGHTING = Optimisation(lr=0.1, weight_decay=0.0, milestones=(0.5, 0.625))
"""The recipe of the weights of teachers, whose size a penalty of their own limits."""
SMALL = 0.005
"""Weights of the hints' convolutions are drawn from [-SMALL, SMALL]."""


@dataclass(frozen=True, kw_only=True)
class AMTMLSettings(WeightedSettings):
    """The settings of `AMTML`; the defaults are those of the authors' notebooks.

    Attributes:
        kd_weight: 2 alpha.
        penalty: The factor of the squared lengths of what weighs the teachers.
        relation_weight: The weight of distances and angles.
        hint_weight: The weight of the hints.
        learning: The part of the epochs in which the weights of the teachers are learnt; they stay
            as they are in the rest.
        detach: Whether the student gets no gradient through the weights of its teachers.
    """

    ce_weight: float = 0.3
    kd_weight: float = 1.4
    temperature: float = 5.0
    penalty: float = 0.1
    relation_weight: float = 1.0
    hint_weight: float = 1.0
    learning: float = 80 / 280
    detach: bool = False

    def __post_init__(self) -> None:
        """Refuse negative weights, and a part of the epochs out of range."""
        super().__post_init__()
        require_not_negative(relation_weight=self.relation_weight, hint_weight=self.hint_weight)
        require_not_negative(penalty=self.penalty)
        fine = 0 < self.learning < 1
        require(fine, f"learning must be above 0 and below 1, got {self.learning}")


class Weighting(nn.Module):
    """Weighs M teachers of an image by the student's embedding: softmax_m(W . (theta_m o beta))."""

    def __init__(self, width: int, teachers: int) -> None:
        """Draw theta (M, C) and W (C) from N(0, 1), for embeddings of C = ``width`` numbers."""
        super().__init__()
        self.theta = nn.Parameter(torch.randn(teachers, width))
        self.w = nn.Parameter(torch.randn(width))

    def forward(self, embedding: Tensor) -> Tensor:
        """Map embeddings beta (B, C) to the logarithms (B, M) of shares, which sum to 1."""
        return log_softmax(embedding @ (self.theta * self.w).T, dim=1)

    def size(self) -> Tensor:
        """Compute |W|^2 + |theta|^2, a scalar."""
        return self.w.square().sum() + self.theta.square().sum()


class AMTML(FromTeachers[AMTMLSettings]):
    """Learn from a mixture of teachers that is learnt image by image.

    Liu et al., Neurocomputing 415, 2020 (doi 10.1016/j.neucom.2020.07.048), by the notebooks of
    the authors. Target t_b = sum_m w_m(b) p_m^T, with the shares w of `Weighting`.
    L = 2 alpha T^2 mean_b KL(t || p_s^T) + (1 - alpha) CE + distances and angles of RKD between t
    and log p_s^T + hints: sum_j mean (c_j(N(F_s,j+1)) - N(e_j))^2, j = 1 .. M - 1 as far as the
    student has stages, e_j the embedding of teacher j, c_j a 1x1 convolution, N over channels.
    In a first phase the ``weighting`` is trained by the same loss, with the penalty
    0.1 (|W|^2 + |theta|^2); in the second it is fixed, and the student's schedule begins again.
    Differs from the notebooks: KL is a mean over the batch (theirs over B K numbers, so K times
    weaker); the convolutions are trained, and the penalty counts throughout the first phase; CE is
    at temperature 1, which is that of one of their two notebooks; all terms are taken together.
    """

    settings = AMTMLSettings
    learning = True

    def __init__(self, situation: Situation, settings: AMTMLSettings) -> None:
        """Make the weights of the teachers, and the convolutions of the hints.

        Raises:
            UserError: Hints are asked for, and the student has stages without maps (C, H, W).
        """
        super().__init__(situation, settings)
        self.weights |= {"kd": settings.kd_weight, "relations": settings.relation_weight}
        self.weights |= {"hints": settings.hint_weight, "penalty": settings.penalty}
        self.temperature, self.detach = settings.temperature, settings.detach
        self.share = settings.learning
        student, count = self.shapes[0].student, len(self.teachers)
        self.weighting = Weighting(student[-1][0], count)
        stages = range(2, min(count + 1, len(student) - 1)) if settings.hint_weight else ()
        self.hints = nn.ModuleList(
            hint(student[stage], shapes.teacher[-1])
            for stage, shapes in zip(stages, self.shapes, strict=False)
        )

    def phases(self) -> tuple[Phase, ...]:
        """Name the phase in which the weights of the teachers are learnt, and the other one."""
        return Phase("weighting", self.share), Phase("student", 1 - self.share)

    def enter(self, phase: int) -> None:
        """Fix the weights of the teachers in the second phase."""
        self.learning = phase == 0
        self.weighting.requires_grad_(self.learning)

    def players(self) -> dict[str, Player]:
        """Name the student with the convolutions of the hints, and first the weighting too."""
        players = {"student": Player.of(self.student, self.hints)}
        if self.learning:
            players["weighting"] = Player(list(self.weighting.parameters()), WEIGHTING)
        return players

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the loss of ``batch``, which is that of all players."""
        losses, terms = super().forward(batch)
        return StepResult(dict.fromkeys(self.players(), losses["student"]), terms)

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the terms of the mixed target, of the hints, and of the penalty."""
        embedding = student.features[-1]
        shares = self.weighting(embedding.detach() if self.detach else embedding)
        target = mixed([one.logits for one in taught], shares, self.temperature)
        softened = log_softmax(student.logits / self.temperature, dim=1)
        terms = {
            "kd": self.temperature**2 * divergence(softened, target).mean(),
            "relations": relations(softened, target.detach().exp()),
            "hints": self.hinted(student, taught),
            **shares_shown(shares.exp()),
        }
        return {**terms, "penalty": self.weighting.size()} if self.learning else terms

    def hinted(self, student: Outputs, taught: Sequence[Outputs]) -> Tensor:
        """Compute the sum of the hints' errors, a scalar."""
        places = zip(student.features[2:], taught, self.hints, strict=False)
        each = (hint_error(conv, maps, one.features[-1]) for maps, one, conv in places)
        return sum(each, student.logits.new_zeros(()))


def mixed(teachers: Sequence[Tensor], shares: Tensor, temperature: float) -> Tensor:
    """Mix the softened probabilities of the logits (B, K) of ``teachers``.

    Args:
        teachers: The logits of each.
        shares: The logarithms (B, M) of their shares.
        temperature: T.

    Returns:
        The logarithms (B, K) of the mixed probabilities.
    """
    each = log_softmax(torch.stack(list(teachers), dim=1) / temperature, dim=2)
    return (shares[:, :, None] + each).logsumexp(dim=1)


def relations(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute how distances and angles differ among rows (B, K), a scalar, see `RelationalKD`."""
    pairs = student.new_ones(len(student), len(student))
    each = (smooth_l1_loss(f(student, pairs), f(teacher, pairs)) for f in (distances, angles))
    return sum(each, student.new_zeros(()))


def hint(student: tuple[int, ...], teacher: tuple[int, ...]) -> nn.Conv2d:
    """Make the convolution of a hint, from maps of shape ``student`` to embeddings (C,).

    Raises:
        UserError: The student has no maps (C, H, W) there.
    """
    require(
        len(student) == len("CHW"),
        f"the hints of amtml need maps (C, H, W), but a stage of the student gives {student}: set "
        "hint_weight to 0",
    )
    conv = nn.Conv2d(student[0], teacher[0], 1, bias=False)
    nn.init.uniform_(conv.weight, -SMALL, SMALL)
    return conv


def hint_error(conv: nn.Module, student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the mean squared error of a map (B, C, H, W) and an embedding (B, C)."""
    theirs = by_position(teacher[:, :, None, None])
    return squared(conv(by_position(student)) - theirs).mean()
