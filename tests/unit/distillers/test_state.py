"""What distillers keep: a checkpoint can be read only while this stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sakd.distillers import DISTILLERS, Distiller
from sakd.networks.spots import SpotFamily

Build = Callable[..., Distiller]
DEPTH = 4
LOGITS = SpotFamily.LOGITS.spots(DEPTH, DEPTH)
SHAPES = {"CHW": ((4, 4, 4), (6, 4, 4)), "C": ((4,), (6,)), "K": ((7,), (7,))}
"""Shapes of the student's and the teacher's features."""

STATE = {
    "fitnet": (42, 0, 12, 1),
    "cc": (640, 896, 0, 0),
    "vid": (204, 0, 0, 0),
    "ab": (72, 0, 24, 2),
    "ft": (363, 1161, 20, 4),
    "ofd": (72, 0, 36, 14),
    "crd": (1536, 0, 3074, 0),
    "reviewkd": (522, 0, 40, 4),
    "cwd": (60, 0, 0, 0),
    "pad": (78, 0, 13, 1),
    "category": (30, 0, 0, 0),
    "afd": (38144, 0, 1536, 5),
    "l2tww": (316, 0, 0, 0),
    "crcd": (1536, 0, 3075, 0),
    "tofd": (188, 232, 41, 5),
    "mgd": (16, 0, 28, 30),
    "attentive": (228, 0, 0, 0),
    "sskd": (60, 0, 0, 0),
    "projection": (36, 0, 8, 1),
}
"""Counts of numbers that are trained, that are frozen, and of other floats and integers."""


def made(name: str, build: Build) -> Distiller:
    """Build it for two stages, and for narrower students where it takes them."""
    kind = DISTILLERS[name]
    axes = ("K" if s in LOGITS else kind.family.axes for s in kind.family.spots(DEPTH, DEPTH))
    students, teachers = zip(*(SHAPES[letters] for letters in axes), strict=True)
    return build(name, students, students if kind.equal_channels else teachers)


@pytest.mark.parametrize("name", DISTILLERS)
def test_the_state_has_the_numbers_that_are_written_down(name: str, build: Build) -> None:
    distiller = made(name, build)
    kept = dict(distiller.state_dict())
    for parameter, _ in distiller.named_parameters():
        del kept[parameter]
    sizes = [[0], [0], [0], [0]]
    for parameter in distiller.parameters():
        sizes[0 if parameter.requires_grad else 1].append(parameter.numel())
    for tensor in kept.values():
        sizes[2 if tensor.is_floating_point() else 3].append(tensor.numel())
    assert tuple(map(sum, sizes)) == STATE.get(name, (0, 0, 0, 0))


def test_parts_are_trained_beforehand_as_is_written_down(build: Build) -> None:
    found = {
        name: (plan.epochs, plan.lr, plan.momentum, plan.weight_decay)
        for name in DISTILLERS
        if (plan := made(name, build).pretraining()) is not None
    }
    assert found == {"ft": (30, 0.01, 0.9, 5e-4), "tofd": (30, 0.05, 0.9, 5e-4)}
