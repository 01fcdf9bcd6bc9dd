"""Learn from the teacher where it is right, and from the labels where it is not."""

from __future__ import annotations

from sakd.routing.base import Route, RoutingPolicy
from sakd.routing.scene import Scene, Sight


class Conditional(RoutingPolicy):
    """Distil the samples that the teacher classifies rightly; learn the labels of the others.

    Meng et al., 2019, arXiv:1904.12399, as described there, not checked against the authors' code.
    Student's loss: mean_b [ c_b L_b + (1 - c_b) CE_b ], c_b = 1 where the teacher's largest logit
    is that of the label, and else 0. Of a mixed image the label with the larger share counts. The
    paper has speech, and soft targets at temperature 1 as L; any other distiller, and one c for all
    spots, is this project's extension.
    The rate is the teacher's accuracy on the training images. Where that is above 99 %, as of a
    teacher that knows them by heart, this is plain distillation without labels.
    """

    sees = Sight.LOGITS

    def __init__(
        self,
        student_width: int,
        teacher_width: int,
        decisions: int,
        *,
        keep_labels: bool = False,
    ) -> None:
        """Prepare for two networks.

        Args:
            student_width: C_s.
            teacher_width: C_t.
            decisions: D.
            keep_labels: Whether all samples learn their labels, and the choice is of the samples
                that distil alone.
        """
        super().__init__(student_width, teacher_width, decisions)
        self.keep_labels = keep_labels

    def forward(self, scene: Scene) -> Route:
        """Compare the teacher's answers with the labels, see `RoutingPolicy.forward`."""
        logits = scene.teacher.logits
        right = logits.argmax(dim=1) == scene.batch.leading_labels
        labels = None if self.keep_labels else (~right).to(logits.dtype)
        return Route(self.everywhere(right), labels=labels)
