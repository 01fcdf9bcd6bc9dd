"""BYOT: shallow heads of a network learn from its deepest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.foundation.errors import require, require_not_negative, require_positive
from sakd.networks import feature_shapes
from sakd.objectives import Settings
from sakd.systems.base import Situation
from sakd.systems.parts.heads import WithHeads
from sakd.systems.parts.learner import Term
from sakd.systems.parts.targets import soft_cross_entropy


@dataclass(frozen=True, kw_only=True)
class BYOTSettings(Settings):
    """The settings of `BYOT`; the defaults are those of the journal's code.

    Attributes:
        alpha: The weight of what a head learns from the deepest; its label loss has 1 - alpha.
        temperature: T.
        hint: The weight of each hint.
        every_hint: Whether the second deepest head has a hint too.
    """

    alpha: float = 0.3
    temperature: float = 3.0
    hint: float = 0.03
    every_hint: bool = False

    def __post_init__(self) -> None:
        """Check the numbers."""
        require(0 <= self.alpha <= 1, f"alpha must be in [0, 1], got {self.alpha}")
        require_positive(temperature=self.temperature)
        require_not_negative(hint=self.hint)


class BYOT(WithHeads[BYOTSettings]):
    """Teach heads after the stages of a network by its own last one: be your own teacher.

    Zhang et al., ICCV 2019, arXiv:1905.08094, as in the code of the authors' journal version:
    L = CE(z_C) + sum_c<C [(1 - alpha) CE(z_c) + alpha SCE(z_C, z_c)] + hint sum_c H_c, with
    SCE = -mean_b sum_k softmax(z_C / T)_k log softmax(z_c / T)_k, without T^2, and the hint
    H_c = ||A_c(F_c) - F_C||_2, one norm of the whole batch of pooled features (B, D), where A_c is
    linear. No gradient flows to z_C and F_C. The last but one head has no hint in that code, though
    its comment says that it is the first; ``every_hint`` gives it one. F_C is the embedding of the
    student. The ensemble is the mean of all logits.
    """

    settings = BYOTSettings

    def __init__(self, situation: Situation, settings: BYOTSettings) -> None:
        """Make heads and the layers of the hints for the student of ``situation``.

        Raises:
            UserError: The stages of the student give no maps.
        """
        super().__init__(situation, settings)
        (deepest,) = feature_shapes(self.student, situation.data.image_shape)[-1]
        hinted = len(self.heads) - (0 if settings.every_hint else 1)
        self.hints = nn.ModuleList(nn.Linear(self.width, deepest) for _ in range(hinted))

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label losses, and what the heads learn from the deepest one."""
        count = len(self.heads) + 1
        logits, pooled, alpha = seen[:count], seen[count:], self.chosen.alpha
        *shallow, own = logits
        terms = {"cross_entropy": Term(self.task.loss(own, batch))}
        for c, z in enumerate(shallow, start=1):
            terms[f"cross_entropy_head{c}"] = Term(self.task.loss(z, batch), 1 - alpha)
            terms[f"soft_cross_entropy_head{c}"] = Term(self._soft(z, own), alpha)
        for c, (layer, feature) in enumerate(zip(self.hints, pooled, strict=False), start=1):
            far = torch.linalg.vector_norm(layer(feature) - pooled[-1].detach())
            terms[f"hint_head{c}"] = Term(far, self.chosen.hint)
        return terms

    def _soft(self, logits: Tensor, deepest: Tensor) -> Tensor:
        temperature = self.chosen.temperature
        target = softmax(deepest / temperature, dim=1)
        return soft_cross_entropy(logits / temperature, target).mean()
