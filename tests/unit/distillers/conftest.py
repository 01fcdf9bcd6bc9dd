"""Shared by the tests of single distillers: a formula by hand against the masked loss."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

SIZE = 5
Shape = tuple[int, ...]
Formula = Callable[[list[Tensor], list[Tensor]], float]


@pytest.fixture(scope="session")
def build() -> Callable[..., Distiller]:
    """Build a distiller in double precision for features of given shapes, one per spot."""

    def make(name: str, student: list[Shape], teacher: list[Shape], **options: float) -> Distiller:
        spots = tuple(Spot(k + 1, k + 1) for k in range(len(student)))
        pair = Pair(spots, tuple(student), tuple(teacher), torch.arange(12) % 4)
        return DISTILLERS[name](pair, **options).double().eval()

    return make


@pytest.fixture(scope="session")
def loss_of() -> Callable[..., Tensor]:
    """Take the loss over all spots, with one choice for all of them."""

    def take(
        distiller: Distiller, student: list[Tensor], teacher: list[Tensor], chosen: Tensor
    ) -> Tensor:
        size = len(chosen)
        index = torch.arange(size)
        batch = Batch(torch.zeros(size, 1, 4, 4), index % 4, index, 0)
        columns = chosen[:, None].expand(-1, len(student))
        return distiller.losses(student, teacher, batch, columns).detach()

    return take


@pytest.fixture(scope="session")
def assert_by_hand(loss_of: Callable[..., Tensor]) -> Callable[..., None]:
    """Compare the masked loss with a formula over the chosen samples, times the share chosen."""

    def check(distiller: Distiller, formula: Formula, mask: list[bool], seed: int) -> None:
        source = torch.Generator().manual_seed(seed)

        def draw(shapes: tuple[Shape, ...]) -> list[Tensor]:
            sizes = [(SIZE, *shape) for shape in shapes]
            return [torch.randn(s, generator=source, dtype=torch.float64) for s in sizes]

        student, teacher = draw(distiller.pair.student_shapes), draw(distiller.pair.teacher_shapes)
        chosen = torch.tensor(mask)
        expected = 0.0
        if any(mask):
            seen = [x[chosen] for x in student], [x[chosen] for x in teacher]
            expected = formula(*seen) * sum(mask) / SIZE
        ours = float(loss_of(distiller, student, teacher, chosen))
        assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)

    return check
