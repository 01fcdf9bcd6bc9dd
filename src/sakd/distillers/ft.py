"""Factor transfer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, Pretraining, mean_over_batch
from sakd.distillers.parts.maps import attention, pool_to_smaller
from sakd.distillers.parts.paraphraser import Paraphraser, layers
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks.spots import SpotFamily


class FactorTransfer(Distiller):
    """Match factors: paraphrases of the teacher's maps, translations of the student's.

    Kim et al., NeurIPS 2018, arXiv:1802.04977.
    Loss: mean_b sum over positions of | q(translator(F_s)) - q(encoder(F_t)) |^p2 / HW, q the
    attention of AT, p2 = 1. The encoder is that of an autoencoder of the teacher's maps, which is
    trained first and then frozen. The translator's batch norm sees the full batch, whoever is
    chosen.
    Differs from the paper: an autoencoder without batch norm; differences of the attention and
    not of the factors, as in the SAKD reference.
    Differs from the reference: with nobody chosen the loss is 0, not that of the full batch.
    """

    family = SpotFamily.LAST_MAP
    weighs = True
    weight = 200.0
    paraphrased: Tensor

    def __init__(
        self,
        pair: Pair,
        *,
        factor_ratio: float = 0.5,
        p2: float = 1.0,
        pretrain_epochs: int = 30,
        pretrain_lr: float = 0.01,
    ) -> None:
        """Make the translator and the paraphraser.

        Args:
            pair: The networks and the data.
            factor_ratio: Channels of a factor over the teacher's channels.
            p2: Power of the differences, 1 or more.
            pretrain_epochs: Epochs of the paraphraser's training.
            pretrain_lr: Its learning rate.

        Raises:
            UserError: A value is out of range.
        """
        super().__init__(pair)
        require(p2 >= 1, f"p2 must be 1 or more, got {p2}")
        require_positive(factor_ratio=factor_ratio, pretrain_lr=pretrain_lr)
        require_not_negative(pretrain_epochs=pretrain_epochs)
        student, teacher = pair.student_shapes[0][0], pair.teacher_shapes[0][0]
        factors = max(1, int(factor_ratio * teacher))
        self.translator = layers(nn.Conv2d, (student, student, factors, factors), normalised=True)
        self.paraphraser = Paraphraser(teacher, factors).requires_grad_(False)
        self.register_buffer("paraphrased", torch.zeros((), dtype=torch.bool))
        self.p2 = p2
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_lr = pretrain_lr

    def pretraining(self) -> Pretraining:
        """Have the paraphraser trained to reconstruct the teacher's maps."""

        def reconstruction(teachers: Sequence[Tensor], _batch: Batch) -> Tensor:
            return mse_loss(self.paraphraser(teachers[0]), teachers[0])

        return Pretraining(
            self.paraphraser,
            reconstruction,
            self.paraphrased,
            epochs=self.pretrain_epochs,
            lr=self.pretrain_lr,
        )

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are maps (B, C, H, W) of any channels and sizes."""
        factors = self.translator(student), self.paraphraser.encoder(teacher)
        ours, theirs = pool_to_smaller(*factors)
        difference = (attention(ours) - attention(theirs)).abs()
        return mean_over_batch(difference.pow(self.p2).mean(dim=1), chosen)
