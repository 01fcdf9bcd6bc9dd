"""The comparisons of ways of learning from oneself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from conformance.comparison import Comparison
from conformance.systems.cases import ROUGH
from conformance.systems.heads import compare_heads
from conformance.systems.labels import (
    compare_ranks,
    compare_smoothing,
    compare_taught,
    compare_untaught,
)
from conformance.systems.neighbours import compare_neighbours
from conformance.systems.pyramids import compare_pyramid, compare_refinement

# The authors divide their multipliers by the number of classes, here 10.
COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "tfkd_self": partial(compare_taught, "tfkd_self", "tfkd", "self", multiplier=50 / 10),
    "tfkd_reg": partial(compare_untaught, "tfkd_reg", "tfkd", "reg_resnet18", multiplier=100 / 10),
    "instance_smoothing": partial(
        compare_taught, "instance_smoothing", "instance_smoothing", "self_distillation", ROUGH
    ),
    "beta_smoothing": compare_ranks,
    "byot": compare_heads,
    "bake": compare_neighbours,
    "frskd": compare_refinement,
    "frskd, the pyramid": compare_pyramid,
    "label smoothing of tfkd": partial(compare_smoothing, "tfkd"),
    "label smoothing of instance_smoothing": partial(compare_smoothing, "instance_smoothing"),
}
