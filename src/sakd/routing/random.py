"""A control: independent coins."""

from __future__ import annotations

import torch

from sakd.foundation.errors import require
from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight


class Random(RoutingPolicy):
    """An independent coin for every sample and spot; with several teachers, a die for which.

    Differs from the SAKD reference, which tosses one coin for the last stage and the logits.
    """

    sees = Sight.NOTHING
    settled = True
    among = True

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        teachers: int = 1,
        *,
        rate: float = 0.5,
    ) -> None:
        """Set the rate.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: The number of spots.
            teachers: M.
            rate: Probability of distilling, from any teacher.

        Raises:
            UserError: The rate is not a probability.
        """
        super().__init__(student_width, teacher_width, decisions, teachers)
        require(0 <= rate <= 1, f"rate must be in [0, 1], got {rate}")
        self.rate = rate

    def forward(self, scene: Scene) -> Route:
        """Toss the coins, see `RoutingPolicy.forward`."""
        size = (len(scene), self.decisions)
        coins = torch.rand(size, generator=scene.generator, device=scene.device)
        bounds = self.rate * torch.arange(self.teachers + 1, device=scene.device) / self.teachers
        low, high = (coins[..., None] >= bounds[:-1]), (coins[..., None] < bounds[1:])
        return Route((low & high).flatten(1))
