"""The features of several teachers, each through a translator of its own: FEED."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers.parts.maps import pool_to_smaller, sample_sums
from sakd.foundation.errors import require, require_not_negative
from sakd.networks.zoo.blocks import conv_bn_relu
from sakd.objectives import Outputs
from sakd.systems.base import Situation
from sakd.systems.parts.normed import by_position, by_sample
from sakd.systems.parts.teachers import FromTeachers, TeachersSettings


@dataclass(frozen=True, kw_only=True)
class FEEDSettings(TeachersSettings):
    """The settings of `FEED`.

    Attributes:
        feature_weight: The weight of the distances, summed over the teachers; the default is ours.
        by_position: Whether features are scaled at every position by themselves, and distances
            are means over all numbers, as in the code of CA-MKD (arXiv:2201.00007).
    """

    feature_weight: float = 1.0
    by_position: bool = False

    def __post_init__(self) -> None:
        """Refuse a negative weight."""
        super().__post_init__()
        require_not_negative(feature_weight=self.feature_weight)


class FEED(FromTeachers[FEEDSettings]):
    """Match the last map of every teacher, each through a translator that is thrown away.

    As described by Park & Kwak, 2019, arXiv:1909.10754, not checked against the paper.
    L = CE + weight sum_m mean_b |N(F_m) - N(TL_m(F_s))|_1, N(v) = v / |v|_2; TL_m are three 3x3
    convolutions with batch norms and rectifiers. The larger map is averaged to the smaller. There
    is no distillation of logits with it. With M teachers the sum counts M times.
    """

    settings = FEEDSettings

    def __init__(self, situation: Situation, settings: FEEDSettings) -> None:
        """Make a translator for each teacher.

        Raises:
            UserError: A network has no map (C, H, W) before its embedding.
        """
        super().__init__(situation, settings)
        self.weights["features"] = settings.feature_weight
        self.by_position = settings.by_position
        places = ((shapes.student[-2], shapes.teacher[-2]) for shapes in self.shapes)
        self.translators = nn.ModuleList(translator(*place) for place in places)

    def knowledge(
        self, batch: Batch, student: Outputs, taught: Sequence[Outputs]
    ) -> Mapping[str, Tensor]:
        """Compute the sum of the distances."""
        pairs = zip(self.translators, taught, strict=True)
        each = (self.distance(f(student.features[-2]), one.features[-2]) for f, one in pairs)
        return {"features": sum(each, batch.images.new_zeros(()))}

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the distance, a scalar, of two maps (B, C, H, W) of equally many channels."""
        student, teacher = pool_to_smaller(student, teacher)
        if self.by_position:
            return (by_position(student) - by_position(teacher)).abs().mean()
        return sample_sums((by_sample(student) - by_sample(teacher)).abs()).mean()


def translator(student: tuple[int, ...], teacher: tuple[int, ...]) -> nn.Module:
    """Make three 3x3 convolutions between the channels of two maps (C, H, W).

    Raises:
        UserError: One of the two is no map.
    """
    for owner, shape in (("student", student), ("teacher", teacher)):
        require(
            len(shape) == len("CHW"),
            f"feed compares maps (C, H, W), but before its embedding the {owner} has {shape}: take "
            "another network, or a system of logits such as average",
        )
    outputs = teacher[0]
    widths = (student[0], outputs, outputs)
    return nn.Sequential(*(conv_bn_relu(width, outputs, 3) for width in widths))
