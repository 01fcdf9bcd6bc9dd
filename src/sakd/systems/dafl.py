"""Learning without images from those that a teacher takes for typical."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softmax

from sakd.data import Batch
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import require_not_negative
from sakd.objectives import Outputs, StepResult
from sakd.objectives.outputs import full_precision
from sakd.systems.base import Situation
from sakd.systems.data_free import DataFree, GeneratorSettings
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.generator import Generator

EPS = 0.8
"""Of the generator's batch norms, as in the authors' code, which gives it where a momentum is."""


@dataclass(frozen=True, kw_only=True)
class DAFLSettings(GeneratorSettings):
    """The settings of `DAFL`; the defaults are those of its authors' code for CIFAR-10.

    Attributes:
        one_hot: The weight of certainty: 1 for MNIST, 0.5 for CIFAR-100.
        balance: The weight of even classes: 20 for CIFAR-100.
        activation: The weight of large activations: 0.1 for MNIST and CIFAR-100.
    """

    latent: int = 1000
    generator_lr: float = 0.02
    one_hot: float = 0.05
    balance: float = 5.0
    activation: float = 0.01

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        require_not_negative(one_hot=self.one_hot, balance=self.balance, activation=self.activation)


class Typical(NamedTuple):
    """How typical a teacher finds images; each term is the lower the better."""

    one_hot: Tensor
    balance: Tensor
    activation: Tensor


def typical(logits: Tensor, embedding: Tensor) -> Typical:
    """Compute the terms of the generator.

    Args:
        logits: (B, K), of the teacher.
        embedding: (B, C), its feature before the head.

    Returns:
        Cross-entropy with the teacher's own choice; sum_k m_k log10 m_k of the mean probabilities
        m; and minus the mean absolute value of the embedding.
    """
    mean = softmax(logits, 1).mean(0)
    logs = mean.clamp(min=torch.finfo(mean.dtype).tiny).log10()
    return Typical(
        cross_entropy(logits, logits.argmax(1)),
        (mean * logs).sum(),
        -embedding.abs().mean(),
    )


class DAFL(DataFree[DAFLSettings]):
    """Data-free learning of student networks (Chen et al., ICCV 2019, arXiv:1904.01186).

    The generator minimises one_hot CE(z_t, argmax z_t) + balance sum_k m_k log10 m_k - activation
    mean |f_t|, where m is the mean of the teacher's probabilities and f_t its embedding. The
    student minimises KL(p_t || p_s), mean over the batch, at temperature 1, on the same images.
    As in the authors' code the learning rate of the generator does not fall.
    """

    settings = DAFLSettings

    @classmethod
    def of(cls, situation: Situation, settings: DAFLSettings) -> Self:
        """Train the student of ``situation`` with a fresh generator."""
        (teacher,) = situation.partners
        generator = Generator(settings.latent, situation.data.image_shape, eps=EPS)
        return cls(situation.student, teacher, generator, settings)

    def forward(self, batch: Batch, teacher: Outputs | None = None) -> StepResult:
        """Compute the losses of both players; ``teacher`` is ignored."""
        images = self.generator(self.noise(batch))
        shown = self.teacher.extract(images)
        own = self.student(images.detach())
        own, expected, embedding = full_precision([own, shown.logits, shown.features[-1]])
        with without_casts(batch.labels.device):
            terms = typical(expected, embedding)
            weights = (self.given.one_hot, self.given.balance, self.given.activation)
            made = sum(w * term for w, term in zip(weights, terms, strict=True))
            learnt = divergence(own, expected.detach())
        logged = {**terms._asdict(), "kl": learnt}
        return StepResult(
            {"student": learnt, "generator": torch.as_tensor(made)},
            {name: term.detach() for name, term in logged.items()},
        )
