"""A fresh teacher that learns along, and does not run ahead of its student: ProKT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor, nn
from torch.nn.functional import log_softmax, softmax

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require, require_positive
from sakd.networks import StagedNetwork
from sakd.objectives import Outputs, Player, Settings, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Partner, Situation, System
from sakd.systems.parts.peers import STUDENT, check_classes, learner, terms_of
from sakd.tasks import Task

TEACHER = "teacher"


@dataclass(frozen=True, kw_only=True)
class FollowedSettings(Settings):
    """The settings of `ProKT`.

    Attributes:
        follow: lambda, how much the teacher is held near its student; 0 lets it learn alone.
        ce_weight: alpha, the share of the labels in the student's loss.
        temperature: T.
    """

    follow: float = 0.3
    ce_weight: float = 0.5
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no share, and a temperature that is not positive."""
        for name in ("follow", "ce_weight"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"{name} must be from 0 to 1, got {value}")
        require_positive(temperature=self.temperature)


class ProKT(System[FollowedSettings]):
    """Teacher and student are trained together; the teacher stays where the student can follow.

    Shi et al., ECML 2021, arXiv:2107.09305, after its description; no code of the authors was
    found, so no values are compared with theirs. The teacher minimises
    (1 - lambda) CE(z_t, y) + lambda T^2 H(p_s, p_t), the student alpha CE(z_s, y) + (1 - alpha) T^2
    H(p_t, p_s), with H(a, b) = -mean_b sum_k a_k log b_k of probabilities at T; in each H the first
    is given, so that neither gradient reaches the other network.
    """

    partner = Partner.PEERS
    settings = FollowedSettings

    def __init__(
        self,
        student: StagedNetwork,
        teacher: StagedNetwork,
        task: Task,
        how: FollowedSettings = FollowedSettings(),
    ) -> None:
        """Train ``student`` and ``teacher`` by the labels of ``task``, and by each other."""
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.task = task
        self.how = how

    @classmethod
    def of(cls, situation: Situation, settings: FollowedSettings) -> Self:
        """Take the fresh partner for the teacher."""
        check_classes(situation, situation.partners)
        (teacher,) = situation.partners
        return cls(situation.student, teacher, situation.data.task, settings)

    @property
    def network(self) -> StagedNetwork:
        """The student."""
        return self.student

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the teacher."""
        return {TEACHER: self.teacher}

    def players(self) -> dict[str, Player]:
        """Name both networks; the teacher learns by the recipe of the student."""
        networks = {STUDENT: self.student, TEACHER: self.teacher}
        return {name: learner(name, network) for name, network in networks.items()}

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of both networks on ``batch``; ``teacher`` is ignored."""
        logits = full_precision([self.student(batch.images), self.teacher(batch.images)])
        with without_casts(batch.images.device):
            return self.losses(logits, batch)

    def losses(self, logits: Sequence[Tensor], batch: Batch) -> StepResult:
        """Compute the losses for the ``logits`` (B, K) of the student and of the teacher."""
        student, teacher = logits
        shares = {STUDENT: self.how.ce_weight, TEACHER: 1 - self.how.follow}
        result = StepResult({}, {})
        for name, own, other in ((STUDENT, student, teacher), (TEACHER, teacher, student)):
            labels = self.task.loss(own, batch)
            near = crossed(own, other.detach(), self.how.temperature)
            result.losses[name] = shares[name] * labels + (1 - shares[name]) * near
            result.terms.update(terms_of(name, cross_entropy=labels, mutual=near))
        return result


def crossed(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Compute T^2 H(softmax(target / T), softmax(logits / T)), a scalar.

    Args:
        logits: (B, K).
        target: (B, K).
        temperature: T.
    """
    given = softmax(target / temperature, dim=1)
    error = -(given * log_softmax(logits / temperature, dim=1)).sum(dim=1).mean()
    return temperature**2 * error
