"""Task-oriented distillation equals its formula; its classifiers are those of both networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import Distiller, Epoch
from sakd.distillers.parts.branches import separable
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
Rows = list[list[float]]
SHAPES = [(4, 4, 4), (4, 2, 2)]
MATRICES = [
    [[float(i == j) + 0.1 * k * (i + j) for j in range(4)] for i in range(4)] for k in (0, 1)
]
HOT = 2.5


class Mean(nn.Module):
    """Takes the means of the maps for vectors, and for logits."""

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        return maps.mean(dim=(2, 3)), maps.mean(dim=(2, 3))


def log_chances(logits: list[float]) -> list[float]:
    total = math.log(math.fsum(math.exp(z) for z in logits))
    return [z - total for z in logits]


def product(matrix: Rows, row: list[float]) -> list[float]:
    return [math.fsum(m * x for m, x in zip(line, row, strict=True)) for line in matrix]


def skew(matrix: Rows) -> float:
    total = 0.0
    for some in (matrix, [list(column) for column in zip(*matrix, strict=True)]):
        square = [product(some, row) for row in some]
        total += math.hypot(*(x - (i == j) for i, r in enumerate(square) for j, x in enumerate(r)))
    return total


def by_hand(student: list[Tensor], teacher: list[Tensor], labels: list[int]) -> float:
    total = 0.0
    for stage, matrix in enumerate(MATRICES):
        ours, theirs = (x[stage].mean(dim=(2, 3)).tolist() for x in (student, teacher))
        missing = [
            x - y
            for s, t in zip(ours, theirs, strict=True)
            for x, y in zip(product(matrix, s), t, strict=True)
        ]
        total += 0.05 * math.hypot(*missing) + 0.03 * skew(matrix)
        if stage == 0:
            for s, t, label in zip(ours, theirs, labels, strict=True):
                soft = [math.exp(q) for q in log_chances([z / HOT for z in t])]
                hot = log_chances([z / HOT for z in s])
                errors = -log_chances(s)[label] - math.fsum(
                    p * q for p, q in zip(soft, hot, strict=True)
                )
                total += errors / len(labels)
    return total


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_classifiers_learn_from_labels_and_the_teachers(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    tofd = build("tofd", SHAPES, SHAPES)
    tofd.student_branches[0] = tofd.teacher_branches[0] = Mean()
    for link, matrix in zip(tofd.links, MATRICES, strict=True):
        link.layer.weight = nn.Parameter(torch.tensor(matrix, dtype=torch.float64))
    tofd.temperature.fill_(HOT)
    labels = [k % 4 for k, chosen in enumerate(mask) if chosen]
    assert_by_hand(tofd, lambda s, t: by_hand(s, t, labels), mask, seed)


def test_the_temperature_rises_to_its_last_value(build: Build) -> None:
    tofd = build("tofd", SHAPES, SHAPES)
    found = []
    for number in (0, 99, 249):
        tofd.begin_epoch(Epoch(number, 250, lambda: iter(())))
        found.append(float(tofd.temperature))
    assert found == pytest.approx([1 + 3 / 250, 1 + 300 / 250, 4])


def test_a_stage_has_a_small_one_for_each_that_follows_and_the_last_has_no_classifier(
    build: Build,
) -> None:
    tofd = build("tofd", [(2, 8, 8), (3, 4, 4), (5, 2, 2)], [(4, 8, 8), (6, 4, 4), (7, 2, 2)])
    for branches, widths in (
        (tofd.student_branches, [2, 3, 5]),
        (tofd.teacher_branches, [4, 6, 7]),
    ):
        assert [len(branch.stages) for branch in branches] == [2, 1]
        for stage, branch in enumerate(branches):
            maps = torch.randn(2, widths[stage], 8, 8).double()
            vector, logits = branch(maps)
            assert branch.stages[0](maps).shape == (2, widths[stage + 1], 4, 4)
            assert (vector.shape, logits.shape) == ((2, widths[-1]), (2, 4))
            means = [[c.mean().item() for c in sample] for sample in branch.stages(maps).detach()]
            assert vector.tolist() == [pytest.approx(row) for row in means]
            torch.testing.assert_close(logits, branch.head(vector))
    assert [tuple(link.layer.weight.shape) for link in tofd.links] == [(7, 5)] * 3


def test_a_single_stage_needs_no_pretraining(build: Build) -> None:
    assert build("tofd", SHAPES, SHAPES).pretraining() is not None
    assert build("tofd", SHAPES[:1], SHAPES[:1]).pretraining() is None


def test_the_teachers_classifiers_learn_the_labels_at_every_stage_but_the_last(
    build: Build,
) -> None:
    shapes = [(4, 8, 8), (4, 4, 4), (4, 2, 2)]
    tofd, index = build("tofd", shapes, shapes), torch.arange(3)
    maps = [torch.randn(3, *shape, dtype=torch.float64) for shape in shapes]
    plan = tofd.pretraining()
    assert plan is not None
    expected = 0.0
    for branch, at_stage in zip(tofd.teacher_branches, maps, strict=False):
        _, logits = branch(at_stage)
        chances = [log_chances(row) for row in logits.tolist()]
        expected -= math.fsum(chances[k][k] for k in range(3)) / 3
    assert len(tofd.teacher_branches) == 2
    loss = plan.loss(maps, Batch(torch.zeros(3, 1, 4, 4), index, index, 0))
    assert float(loss.detach()) == pytest.approx(expected)


def test_the_teachers_classifiers_stay_as_they_are_in_training(build: Build) -> None:
    tofd = build("tofd", SHAPES, SHAPES).train()
    assert {module.training for module in tofd.student_branches.modules()} == {True}
    assert {module.training for module in tofd.teacher_branches.modules()} == {False}
    assert not any(p.requires_grad for p in tofd.teacher_branches.parameters())


@pytest.mark.parametrize(
    "option", [{"temperature": 0.5}, {"pretrain_lr": 0.0}, {"feature": -1.0}, {"orthogonal": -1.0}]
)
def test_values_out_of_range_are_refused(option: dict[str, float], build: Build) -> None:
    ((name, value),) = option.items()
    with pytest.raises(UserError, match=rf"{name} .*{value}"):
        build("tofd", SHAPES, SHAPES, **option)


def test_convolutions_before_a_norm_have_no_bias() -> None:
    made = [m for m in separable(4, 6).modules() if isinstance(m, nn.Conv2d)]
    assert [m.bias for m in made] == [None] * 4
