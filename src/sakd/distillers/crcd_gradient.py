"""The gradient part of complementary relation contrastive distillation."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity

from sakd.data import Batch
from sakd.distillers.base import Distiller, Sensitivity, mean_over_batch
from sakd.networks.spots import SpotFamily


class LossGradients(Distiller):
    """Match the direction in which each embedding would lower the label loss.

    Zhu et al., CVPR 2021, arXiv:2103.16367, as in the first author's code, which calls itself
    incomplete.
    Loss: mean_b (1 - cos(g_s, g_t)), g the gradient of the cross-entropy by the embedding.
    `sakd.distillers.crcd` has the contrast; the paper uses both, crcd-crcd_gradient.
    Differs from that code: it is added to the loss with the weight of 10, where it is multiplied by
    that of KD there.
    """

    family = SpotFamily.EMBEDDING
    weight = 10.0
    weighs = True
    equal_channels = True
    sensitivity = Sensitivity.EMBEDDING

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; compared are gradients by the embeddings, (B, C)."""
        return mean_over_batch(1 - cosine_similarity(student, teacher, dim=1), chosen)
