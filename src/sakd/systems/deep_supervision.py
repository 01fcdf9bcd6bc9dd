"""Deep supervision: heads between the stages, with labels alone; the control of BYOT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from sakd.data import Batch
from sakd.foundation.errors import require_not_negative
from sakd.objectives import Settings
from sakd.systems.parts.heads import WithHeads
from sakd.systems.parts.learner import Term


@dataclass(frozen=True, kw_only=True)
class DeepSupervisionSettings(Settings):
    """The settings of `DeepSupervision`.

    Attributes:
        head_weight: The weight of the label loss of each head; the default is what `BYOT` gives it.
    """

    head_weight: float = 0.7

    def __post_init__(self) -> None:
        """Check the weight."""
        require_not_negative(head_weight=self.head_weight)


class DeepSupervision(WithHeads[DeepSupervisionSettings]):
    """Train the student with a head after each stage but the last, all by the labels.

    L = CE(z_C) + head_weight sum_c<C CE(z_c) for the C heads, the student's own the last. It is
    `BYOT` without what its heads learn from the deepest: the gain of BYOT over it is due to
    distillation. The heads are those of `BYOT`.
    """

    settings = DeepSupervisionSettings

    def terms(self, batch: Batch, seen: Sequence[Tensor]) -> dict[str, Term]:
        """Compute the label losses of the student and of the heads."""
        *shallow, own = seen[: len(self.heads) + 1]
        heads = {
            f"cross_entropy_head{c}": Term(self.task.loss(z, batch), self.chosen.head_weight)
            for c, z in enumerate(shallow, start=1)
        }
        return {"cross_entropy": Term(self.task.loss(own, batch)), **heads}
