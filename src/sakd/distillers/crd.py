"""Contrastive representation distillation."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import normalize

from sakd.data import Batch
from sakd.distillers.base import Distiller, Pair, mean_over_batch
from sakd.distillers.parts.contrast import draw_contrast, estimation_loss
from sakd.distillers.parts.memory import MemoryBank, at_once
from sakd.foundation.errors import require, require_positive
from sakd.networks.spots import SpotFamily


class ContrastiveRepresentation(Distiller):
    """Tell the other network's embedding of an image from those of K images of other classes.

    Tian et al., ICLR 2020, arXiv:1910.10699, with noise-contrastive estimation.
    Loss, summed over both networks: -mean_b [ log h(0) + sum_{k = 1..K} log(1 - h(k)) ],
    h(k) = p / (p + K / N), p = exp(<v_b, u_k> / T) / Z. v_b is one network's embedding of image b,
    and u_k a row of the other's bank, which holds an embedding of each of the N training images;
    k = 0 is image b itself. The first batch with a chosen sample fixes Z. Banks follow the chosen
    samples with ``momentum``. A mixed image counts by its own label and row, not its partner's.
    Differs from the SAKD reference: K is at most the number of images of other classes.
    """

    family = SpotFamily.EMBEDDING
    weight = 0.8
    memory: ClassVar[type[MemoryBank]] = MemoryBank
    labels: Tensor

    def __init__(
        self,
        pair: Pair,
        *,
        k: int = 16384,
        feat_dim: int = 128,
        temperature: float = 0.07,
        momentum: float = 0.5,
    ) -> None:
        """Make embeddings and banks.

        Args:
            pair: The networks and the data.
            k: K, the number of contrasts.
            feat_dim: Dimensions of the embeddings.
            temperature: T.
            momentum: Share of the old row of a bank in the new one.

        Raises:
            UserError: A value is out of range, or all training images are of one class.
        """
        super().__init__(pair)
        size = len(pair.train_labels)
        others = size - int(pair.train_labels.bincount().max())
        require_positive(k=k, feat_dim=feat_dim, temperature=temperature)
        require(0 <= momentum < 1, f"momentum must be in [0, 1), got {momentum}")
        require(others > 0, "contrast needs training images of two classes or more")
        self.negatives = min(k, others)
        self.student_embedding = nn.Linear(pair.student_shapes[0][0], feat_dim)
        self.teacher_embedding = nn.Linear(pair.teacher_shapes[0][0], feat_dim)
        recall = {"temperature": temperature, "momentum": momentum}
        self.student_bank = self.memory(size, feat_dim, **recall)
        self.teacher_bank = self.memory(size, feat_dim, **recall)
        self.register_buffer("labels", pair.train_labels, persistent=False)

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features are embeddings (B, C)."""
        v_s = normalize(self.student_embedding(student))
        v_t = normalize(self.teacher_embedding(teacher))
        contrast = self.contrast(batch)

        def told_apart(bank: MemoryBank, embedding: Tensor) -> Tensor:
            return at_once(lambda v: self.error(bank(v, contrast, chosen), chosen), embedding)

        losses = told_apart(self.teacher_bank, v_s) + told_apart(self.student_bank, v_t)
        self.student_bank.follow(v_s, batch.index, chosen)
        self.teacher_bank.follow(v_t, batch.index, chosen)
        return mean_over_batch(losses, chosen)

    def error(self, chances: Tensor, chosen: Tensor) -> Tensor:
        """Compute the loss (B,) of the samples from their scores ``chances`` (B, 1 + K)."""
        return estimation_loss(chances, self.negatives / len(self.labels))

    def contrast(self, batch: Batch) -> Tensor:
        """Draw positions (B, 1 + K) in the training set: each image, then K of other classes."""
        return draw_contrast(self.labels, batch.index, self.negatives, batch.draws("contrast"))
