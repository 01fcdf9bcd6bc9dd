"""Jacobian matching."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller, Sensitivity, mean_over_batch
from sakd.distillers.parts.maps import sample_means, squared, units
from sakd.networks.spots import SpotFamily


class JacobianMatching(Distiller):
    """Match the direction in which each pixel raises the logit of the image's label.

    Srinivas & Fleuret, ICML 2018, arXiv:1803.00443, as in Knowledge-Distillation-Zoo, another
    implementation, whose weight of 20 this is.
    Loss: mean_b || u(J_s) - u(J_t) ||^2 / CHW, J the gradient of the label's logit by the image
    (C, H, W), u(J) = J / |J|. It is at most 4 / CHW: 0.0013 for colour images of 32 x 32, so the
    weight should grow with the images. A mixed image counts by the label with the larger share.
    The samples are those chosen at the logits. KD stays, as it is the logits that KD compares. A
    batch norm in training mode relates the samples of the batch, so each gradient of the student is
    that of the sum of all the labels' logits.
    Differs from the paper: neither its transfer between tasks, by attention maps, nor its terms for
    other layers.
    """

    family = SpotFamily.LOGITS
    weight = 20.0
    weighs = True
    sensitivity = Sensitivity.IMAGES

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; compared are gradients by the images, (B, C, H, W)."""
        ours, theirs = (units(gradient.flatten(1)) for gradient in (student, teacher))
        return mean_over_batch(sample_means(squared(ours - theirs)), chosen)
