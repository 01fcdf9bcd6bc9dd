"""Count how much of each training image was distilled at each spot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from sakd.objectives import Decisive, Objective
from sakd.routing import Route, Scene
from sakd.routing.choice import tells_apart
from sakd.training.resuming import check_tensors

RATE = "rate/"
"""Prefix of the columns with the rates of images at a spot; of weights, their means."""

SEEN = "seen/"
"""Prefix of the columns with the number of decisions on an image at a spot."""


class Tally:
    """The decisions on every training image, summed over the epochs of a training.

    It listens to the policies of an objective that tell samples apart, and keeps a sum for each
    image and spot on their device. A step has the same bits with it as without it, can be recorded
    as a graph, and does not make the host wait.

    Attributes:
        counts: The sums of each policy; none where no policy tells samples apart.
    """

    def __init__(self, objective: Objective, images: int) -> None:
        """Listen to the policies of ``objective``, which lie on their device.

        Args:
            objective: What is trained, on its device.
            images: N, the number of training images.
        """
        routed = (part for part in objective.modules() if isinstance(part, Decisive))
        self.counts = [_Counts(r, images) for r in routed if tells_apart(r.router.policy)]

    def state(self) -> list[Tensor]:
        """Give the sums, for a checkpoint."""
        return [each.sums.cpu() for each in self.counts]

    def restore(self, state: Sequence[Tensor]) -> None:
        """Go on from the result of `state`.

        Raises:
            UserError: It is of other images or spots.
        """
        for each, sums in zip(self.counts, state, strict=True):
            check_tensors({"counts": sums}, {"counts": each.sums})
            each.sums.copy_(sums)

    def frame(self, labels: Tensor) -> pd.DataFrame:
        """Give a line for every image, with ``labels`` (N,).

        Returns:
            ``image``, the position in the training set; ``label``; for each spot ``rate/SPOT``, the
            mean over all decisions of its share, NaN without any, and ``seen/SPOT``, their number.
        """
        spots = dict.fromkeys(spot for each in self.counts for spot in each.spots)
        table = {"image": np.arange(len(labels), dtype=np.int32), "label": labels.int().numpy()}
        for spot in spots:
            found = [each.at(spot) for each in self.counts if spot in each.spots]
            shares, seen = torch.stack(found).sum(dim=0)
            table |= {f"{RATE}{spot}": (shares / seen).numpy(), f"{SEEN}{spot}": seen.int().numpy()}
        return pd.DataFrame(table)


class _Counts:
    """The sums of the decisions of one policy."""

    def __init__(self, objective: Decisive, images: int) -> None:
        policy = objective.router.policy
        self.spots = objective.spot_names
        self._learns_aside = policy.learns_aside
        device = next(objective.student.parameters()).device
        self.sums = torch.zeros(images, len(self.spots) + 1, device=device)
        policy.register_forward_hook(self._add)

    def at(self, spot: str) -> Tensor:
        """Give the sums (2, N) of the shares at ``spot``, and the numbers of decisions."""
        return self.sums[:, [self.spots.index(spot), -1]].T.cpu()

    def _add(self, _policy: nn.Module, scenes: tuple[Scene], route: Route) -> None:
        batch = scenes[0].batch
        if self._learns_aside and batch.aside is None:
            return  # the policy learns from these images, and the student does not
        shares = route.share.detach().float()
        decided = torch.cat([shares, shares.new_ones(len(shares), 1)], dim=1)
        self.sums.index_add_(0, batch.index, decided)  # no image is twice in a batch
