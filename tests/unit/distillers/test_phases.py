"""Distillers that divide a training into phases: their losses by hand, and their plans."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.phases import PhasePlan
from sakd.foundation.errors import UserError
from sakd.networks.spots import Spot, SpotFamily

STUDENT, TEACHER = (2, 4, 4), (3, 2, 2)
BATCH = Batch(torch.zeros(2, 1, 4, 4), torch.arange(2), torch.arange(2), 0)
EVERYBODY = torch.ones(2, dtype=torch.bool)

PHASED = [name for name, kind in DISTILLERS.items() if kind.phases is not Distiller.phases]


def make(name: str, depth: int = 5, **options: float) -> Distiller:
    """Make a distiller between networks of equal depth."""
    spots = DISTILLERS[name].family.spots(depth, depth)
    count = len(spots)
    return DISTILLERS[name](
        Pair(spots, (STUDENT,) * count, (TEACHER,) * count, torch.arange(2)), **options
    )


@pytest.mark.parametrize("name", [name for name in DISTILLERS if name not in PHASED])
def test_most_distillers_train_in_one_piece(name: str) -> None:
    channels = 2 if DISTILLERS[name].equal_channels else 3
    spots, shapes = DISTILLERS[name].family.spots(5, 5), {"C": (6,), "K": (7,)}
    family = DISTILLERS[name].family
    sizes = tuple(shapes.get(family.axes, (channels, 4, 4)) for _ in spots)
    assert DISTILLERS[name](Pair(spots, sizes, sizes, torch.arange(2))).phases(5) == ()


def mean_square(ours: Tensor, theirs: Tensor) -> float:
    pairs = zip(ours.flatten().tolist(), theirs.flatten().tolist(), strict=True)
    return math.fsum((a - b) ** 2 for a, b in pairs) / ours.numel()


def test_a_stage_regresses_its_teachers_through_a_convolution_of_one_pixel() -> None:
    sskd, student, teacher = make("sskd"), torch.randn(2, *STUDENT), torch.randn(2, *TEACHER)
    weight, bias = (p.detach() for p in sskd.get_submodule("regressors.1").parameters())
    mapped = torch.einsum("oi,bihw->bohw", weight[:, :, 0, 0], student) + bias[:, None, None]
    quarters = mapped.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean(dim=(3, 5))
    found = sskd.loss(1, student, teacher, BATCH, EVERYBODY)
    assert float(found.detach()) == pytest.approx(mean_square(quarters, teacher), rel=1e-5)


def test_the_teachers_map_is_projected_to_the_students() -> None:
    projection = make("projection")
    student, teacher = torch.randn(2, *STUDENT), torch.randn(2, *TEACHER)
    projected = projection.get_submodule("projection")(teacher)
    assert projected.shape == student.shape
    found = projection.loss(0, student, teacher, BATCH, EVERYBODY)
    assert float(found.detach()) == pytest.approx(mean_square(student, projected), rel=1e-5)


@pytest.mark.parametrize("depth", [3, 5, 6])
def test_the_stages_of_sskd_follow_each_other_and_the_head_ends_the_student(depth: int) -> None:
    spots = SpotFamily.EVERY_STAGE.spots(depth, depth)
    *stages, head = make("sskd", depth).phases(depth)
    assert [plan.spots for plan in stages] == [(spot,) for spot in spots]
    assert [plan.name for plan in stages] == [f"stage{k}" for k in range(1, depth - 1)]
    assert not any(plan.labels for plan in stages)
    assert head == PhasePlan("head", 0.25, stages=range(depth - 1, depth + 1))
    trained = [number for plan in (*stages, head) for number in plan.stages]
    assert trained == list(range(depth + 1))  # the features, and the logits
    assert all(plan.stages[-1] == plan.spots[0].student for plan in stages)
    assert sum(plan.share for plan in stages) == pytest.approx(0.75)


def test_stages_of_a_deeper_student_that_have_no_teacher_belong_to_the_first_phase() -> None:
    shapes = (STUDENT,) * 2, (TEACHER,) * 2
    spots = SpotFamily.EVERY_STAGE.spots(6, 4)
    first, second, head = DISTILLERS["sskd"](Pair(spots, *shapes, torch.arange(2))).phases(6)
    assert [plan.stages for plan in (first, second, head)] == [
        range(4),
        range(4, 5),
        range(5, 7),
    ]


def test_projection_has_its_share_of_the_epochs_and_labels_throughout() -> None:
    first, second = make("projection", share=0.3).phases(5)
    assert first == PhasePlan("projection", 0.3, (Spot(2, 2),))
    assert (second.share, second.spots, second.stages, second.labels) == (0.7, (), None, True)


@pytest.mark.parametrize(("name", "option"), [("sskd", "head_share"), ("projection", "share")])
@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 1.5])
def test_a_share_that_leaves_a_phase_without_epochs_is_refused(
    name: str, option: str, share: float
) -> None:
    with pytest.raises(UserError, match=rf"{option} must be between 0 and 1, got {share}"):
        make(name, **{option: share})


def test_distillers_with_phases_stand_alone_and_name_their_objective() -> None:
    assert PHASED == ["sskd", "projection"]
    kinds = [DISTILLERS[name] for name in PHASED]
    assert all(kind.stands_alone and kind.objective == "phased" for kind in kinds)
