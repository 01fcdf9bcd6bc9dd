"""FRSKD: a pyramid over the maps of a network refines them, and teaches the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.parts.maps import attention
from sakd.foundation.errors import require_not_negative, require_positive
from sakd.networks import probe
from sakd.objectives import Outputs, Settings
from sakd.systems.base import Partner, Situation
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.heads import stage_shapes
from sakd.systems.parts.learner import Learner, Term
from sakd.systems.parts.pyramid import Pyramid
from sakd.systems.parts.view import View


@dataclass(frozen=True, kw_only=True)
class FRSKDSettings(Settings):
    """The settings of `FRSKD`; the defaults are the authors' for ResNet-18 on CIFAR-100.

    Attributes:
        logits: alpha, the weight of what the logits learn from those of the pyramid.
        maps: beta, the weight of what the maps learn from those of the pyramid.
        temperature: T.
    """

    logits: float = 2.0
    maps: float = 100.0
    temperature: float = 4.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        require_not_negative(logits=self.logits, maps=self.maps)
        require_positive(temperature=self.temperature)


class FRSKD(Learner[FRSKDSettings]):
    """Learn from one's own maps, as a pyramid beside the network refines them.

    Ji et al., CVPR 2021, arXiv:2103.08273, as in the authors' code, with z_r and R_i the logits and
    maps of the pyramid, see `Pyramid`, and F_i those of the stages of the student:
    L = CE(z) + CE(z_r) + alpha T^2 mean_b KL(softmax(z_r / T) || softmax(z / T))
    + beta sum_i mean (at(F_i) - at(R_i))^2, where at is the mean of squares over the channels,
    scaled to length 1, and the mean is over images and positions. What teaches has no gradient, but
    the pyramid stands on the maps, and so its label loss trains the network too.
    Differs from the authors' code: maps are taken as the stages of a network give them, where that
    of Wide ResNets has further batch norms; sizes need not halve.
    """

    partner = Partner.NONE
    settings = FRSKDSettings

    def __init__(self, situation: Situation, settings: FRSKDSettings) -> None:
        """Build a pyramid on the student of ``situation``.

        Raises:
            UserError: Its stages give no maps.
        """
        super().__init__(situation, settings)
        shape = situation.data.image_shape
        widths = [channels for channels, *_ in stage_shapes(self.student, shape)]
        self.pyramid = Pyramid(widths, probe(self.student, shape).logits.shape[1])

    def further_networks(self) -> dict[str, nn.Module]:
        """Name the pyramid, with the student that it stands on."""
        return {"pyramid": View(self, lambda images: self._refined(images)[1])}

    def seen(self, batch: Batch, teacher: Outputs | None) -> Sequence[Tensor]:
        """Give the logits (B, K) of student and pyramid, then the maps of both, in order."""
        return self._refined(batch.images)

    def _refined(self, images: Tensor) -> list[Tensor]:
        features, logits = self.student.extract(images)
        maps = features[1:-1]
        refined, better = self.pyramid(maps)
        return [logits, refined, *maps, *better]

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label losses of both, and what the student learns from the pyramid."""
        (logits, refined), maps, chosen = seen[:2], seen[2:], self.chosen
        pairs = zip(maps[: len(maps) // 2], maps[len(maps) // 2 :], strict=True)
        far = [(attention(f) - attention(r.detach())).square().mean() for f, r in pairs]
        taught = divergence(logits, refined.detach(), chosen.temperature)
        return {
            "cross_entropy": Term(self.task.loss(logits, batch)),
            "cross_entropy_pyramid": Term(self.task.loss(refined, batch)),
            "kd": Term(taught, chosen.logits),
            "at": Term(torch.stack(far).sum(), chosen.maps),
        }
