"""Dynamic temperature distillation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.labels import shifted
from sakd.distillers.parts.logits import divergence
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.networks.spots import SpotFamily

LENGTH, CHANCE = 1e-4, 1e-3
"""Added to the lengths of logits, and to the largest probability, as in TextBrewer."""


class DynamicTemperature(Distiller):
    """Match the teacher's probabilities, softened less for samples that are hard.

    Wen et al., 2019, arXiv:1911.07471, "Preparing Lessons". The loss of a sample depends on the
    others.
    Loss over n chosen samples: mean_b T_b^2 KL(softmax(z_t / T_b) || softmax(z_s / T_b)),
    T_b = max(1, T_0 + beta (mean_j w_j - w_b)), without a gradient. w_b is how hard a sample is:
    (1 - cos(z_s, z_t))^gamma (the paper's FLSW), or 1 over the student's largest probability with
    ``by_confidence`` (CWSM). With ``adjust``, the teacher is adjusted as by ka.
    T_0 = 10 is not checked against the authors' code; 10 is the smallest of the values of beta
    from 10 to 80 in use. Differs: a temperature is 1 or more, since a large beta would make some
    negative.
    It takes the place of KD, which is left out.
    """

    family = SpotFamily.LOGITS

    def __init__(
        self,
        pair: Pair,
        *,
        temperature: float = 10.0,
        beta: float = 10.0,
        gamma: float = 1.0,
        by_confidence: bool = False,
        adjust: bool = False,
    ) -> None:
        """Set how temperatures depend on samples.

        Args:
            pair: The networks and the data.
            temperature: T_0.
            beta: How much a temperature follows the hardness of its sample.
            gamma: Power of the distance of the logits.
            by_confidence: Whether a sample is hard where the student is not sure, rather than
                where it is far from the teacher.
            adjust: Whether the teacher's wrong predictions are put right, see
                `sakd.distillers.ka.KnowledgeAdjustment`.

        Raises:
            UserError: A value is out of range.
        """
        super().__init__(pair)
        require_positive(temperature=temperature, gamma=gamma)
        require_not_negative(beta=beta)
        self.temperature = temperature
        self.beta = beta
        self.power = gamma
        self.by_confidence = by_confidence
        self.adjust = adjust

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are logits (B, K)."""
        temperatures = self.temperatures(student, teacher, chosen)
        if self.adjust:
            teacher = shifted(teacher, batch.leading_labels)
        softened = (logits / temperatures[:, None] for logits in (student, teacher))
        error = divergence(*(log_softmax(logits, dim=1) for logits in softened))
        return mean_over_batch(temperatures.square() * error, chosen)

    @torch.no_grad()
    def temperatures(self, student: Tensor, teacher: Tensor, chosen: Tensor) -> Tensor:
        """Compute T_b (B,) of logits (B, K); the mean hardness is that of the chosen."""
        hardness = self.hardness(student, teacher)
        mask = chosen.to(hardness.dtype)
        mean = (hardness * mask).sum() / mask.sum().clamp(min=1)
        return (self.temperature + self.beta * (mean - hardness)).clamp(min=1)

    def hardness(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute w (B,) of logits (B, K)."""
        if self.by_confidence:
            return 1 / (student.softmax(dim=1).amax(dim=1) + CHANCE)
        ours, theirs = (z / (z.norm(dim=1, keepdim=True) + LENGTH) for z in (student, teacher))
        cosine: Tensor = (ours * theirs).sum(dim=1)
        return (1 - cosine).clamp(min=0).pow(self.power)
