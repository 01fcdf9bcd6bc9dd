"""Kernel alignment."""

from __future__ import annotations

from torch import Tensor

from sakd.data import Batch
from sakd.distillers.base import Distiller
from sakd.distillers.parts.maps import units
from sakd.networks.spots import SpotFamily


class KernelAlignment(Distiller):
    """Align the similarities between the samples of the batch, whatever their scale.

    Jin et al., CVPR 2021, arXiv:2103.03467, the similarity by global kernel alignment of CAT. The
    loss of a sample depends on the others.
    Loss over n chosen samples: 1 - <G_s, G_t> / (|G_s| |G_t|), G (n, n) = F F' with one sample's
    values in a row. For one sample it is 0.
    The paper compresses generators of images, with weights from 0.1 to 1.3 in the authors' code;
    for a classifier there is none.
    Differs from the authors' code: the 1, which makes perfect alignment cost nothing.
    """

    family = SpotFamily.EVERY_STAGE
    any_shape = True

    def loss(
        self, spot: int, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
    ) -> Tensor:
        """See `Distiller.loss`; features (B, ...) have any shape, and are flattened."""
        mask = chosen.to(student.dtype)
        ours, theirs = (units(gram(x, mask).flatten()) for x in (student, teacher))
        return (1 - (ours * theirs).sum()) * mask.mean()


def gram(features: Tensor, mask: Tensor) -> Tensor:
    """Compute G (B, B) of ``features`` (B, ...) where ``mask`` (B,) is 1, and 0 elsewhere."""
    flat = features.flatten(1) * mask[:, None]
    return flat @ flat.T
