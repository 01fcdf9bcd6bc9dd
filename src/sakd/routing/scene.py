"""The scene of a decision: what a policy sees of both networks and of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from functools import cached_property

import torch
from torch import Tensor

from sakd.data import Batch


class Sight(Flag):
    """The outputs of both networks that a policy reads; labels and images may always be read."""

    NOTHING = 0
    EMBEDDINGS = auto()
    LOGITS = auto()
    FEATURES = auto()


@dataclass(frozen=True)
class View:
    """One network's outputs for a batch; whatever is read has no gradient.

    Attributes:
        outputs: The features in order of depth, each (B, ...), then the logits.
        embed: Reduces features to embeddings (B, C).
        judge: Gives the label loss (B,) of logits (B, K).
    """

    outputs: Sequence[Tensor]
    embed: Callable[[Sequence[Tensor]], Tensor]
    judge: Callable[[Tensor], Tensor]

    @property
    def features(self) -> tuple[Tensor, ...]:
        """The features in order of depth, each (B, ...)."""
        return tuple(feature.detach() for feature in self.outputs[:-1])

    @property
    def embedding(self) -> Tensor:
        """The embeddings (B, C)."""
        return self.embed(self.outputs[:-1]).detach()

    @property
    def logits(self) -> Tensor:
        """The logits (B, K)."""
        return self.outputs[-1].detach()

    @property
    def losses(self) -> Tensor:
        """The label loss of every sample (B,)."""
        return self.judge(self.logits)


@dataclass(frozen=True)
class Scene:
    """Both networks' outputs for a batch.

    Attributes:
        student: The student's outputs.
        teacher: The teacher's; only those that the policy says it `sees` can be relied on.
        batch: The images, labels and training-set positions.
    """

    student: View
    teacher: View
    batch: Batch

    def __len__(self) -> int:
        """Count the samples: B."""
        return len(self.batch.labels)

    @property
    def device(self) -> torch.device:
        """The device of all tensors."""
        return self.batch.labels.device

    @cached_property
    def generator(self) -> torch.Generator:
        """The source of every random draw of the policy, and of nothing else."""
        return self.batch.draws("policy")

    def of_the_label(self, values: Tensor) -> Tensor:
        """Pick from ``values`` (B, K) those of the labels (B,); of mixed labels the mean."""
        own = values.gather(1, self.batch.labels[:, None]).squeeze(1)
        if self.batch.mixture is None:
            return own
        partner, share = self.batch.mixture
        return share * own + (1 - share) * values.gather(1, partner[:, None]).squeeze(1)
