"""Distil where the teacher pulls the same way as the label."""

from __future__ import annotations

from torch import Tensor

from sakd.foundation.errors import require_positive
from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight


class Agreeing(RoutingPolicy):
    """Distil, at every spot, the samples on which teacher and label pull the logits together.

    Proposed here. A sample is taken where <g, h> >= 0, so where the cosine is not negative, of the
    two gradients by the student's logits z_s, both in closed form:
    g = softmax(z_s / T) - softmax(z_t / T), that of KD over T, and h = softmax(z_s) - y, that of
    the cross-entropy, with y one-hot, or the shares of mixed labels. All samples learn their
    labels. Of distillers of features it says only what their teacher's answer would do.
    It collapses to "always" where no teacher's answer opposes the label: with a good teacher of a
    young student.
    """

    sees = Sight.LOGITS

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        *,
        temperature: float = 4.0,
    ) -> None:
        """Set the temperature.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
            temperature: T, that of KD.

        Raises:
            UserError: The temperature is not positive.
        """
        super().__init__(student_width, teacher_width, decisions)
        require_positive(temperature=temperature)
        self.temperature = temperature

    def forward(self, scene: Scene) -> Route:
        """Compare the two gradients, see `RoutingPolicy.forward`."""
        return Route(self.everywhere(self.agreement(scene) >= 0))

    def agreement(self, scene: Scene) -> Tensor:
        """Compute the inner product <g, h> (B,) of the two gradients."""
        student, teacher = scene.student.logits, scene.teacher.logits
        ours, theirs = ((z / self.temperature).softmax(dim=1) for z in (student, teacher))
        pull = ours - theirs
        return (pull * student.softmax(dim=1)).sum(dim=1) - scene.of_the_label(pull)
