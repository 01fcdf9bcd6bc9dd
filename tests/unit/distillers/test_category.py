"""Category structure equals its formula, written out class by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import Distiller, Pair
from sakd.distillers.category import CategoryStructure
from sakd.networks.spots import Spot

Row = list[float]
Build = Callable[..., Distiller]
LossOf = Callable[..., Tensor]
LABELS = [0, 1, 2, 3, 0]
masks = st.lists(st.booleans(), min_size=5, max_size=5)


def mean(rows: list[Row]) -> Row:
    return [math.fsum(column) / len(column) for column in zip(*rows, strict=True)]


def less(x: Row, y: Row) -> Row:
    return [a - b for a, b in zip(x, y, strict=True)]


def dot(x: Row, y: Row) -> float:
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


def cosine(x: Row, y: Row) -> float:
    return dot(x, y) / math.sqrt(dot(x, x) * dot(y, y))


def centres(rows: list[Row], labels: list[int], answers: list[int]) -> list[Row]:
    """Give each sample the mean of the correct ones of its class, or itself if there are none."""
    triples = list(zip(rows, labels, answers, strict=True))
    right = [[x for x, y, answer in triples if y == answer == label] for label in labels]
    return [mean(some or [row]) for row, some in zip(rows, right, strict=True)]


def by_hand(
    student: list[Row],
    teacher: list[Row],
    labels: list[int],
    compactness: float,
    answers: Sequence[list[int]] | None = None,
) -> float:
    """Compute the loss with intra 3 and inter 2; with ``answers`` it is filtered."""
    classes = sorted(set(labels))
    means = [
        {c: mean([x for x, y in zip(rows, labels, strict=True) if y == c]) for c in classes}
        for rows in (student, teacher)
    ]
    sides = zip((student, teacher), answers or (labels, labels), strict=True)
    around = [centres(rows, labels, given) for rows, given in sides]
    size, within, spread = len(student[0]), 0.0, 0.0
    for s, t, mine, other in zip(student, teacher, *around, strict=True):
        ours, theirs = less(s, mine), less(t, other)
        difference = less(ours, theirs)
        within += dot(difference, difference) / size**2
        spread += dot(ours, ours) / size
    angles = [
        (cosine(means[0][a], means[0][b]) - cosine(means[1][a], means[1][b])) ** 2
        for a in classes
        for b in classes
    ]
    between = math.fsum(angles) / len(angles) / len(classes)
    return (3 * within + compactness * spread) / len(student) + 2 * between


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [("category", (2, 2, 2), {}), ("category_logits", (6,), {"compactness": 0.5})],
)
@given(mask=masks, seed=st.integers(0, 1000))
def test_samples_lie_around_their_class_and_classes_to_each_other_as_in_the_teacher(
    name: str,
    shape: tuple[int, ...],
    options: dict[str, float],
    mask: list[bool],
    seed: int,
    build: Build,
    loss_of: LossOf,
) -> None:
    source = torch.Generator().manual_seed(seed)
    student, teacher = torch.randn(2, 5, *shape, generator=source, dtype=torch.float64)
    chosen = torch.tensor(mask)
    expected = 0.0
    if any(mask):
        labels = [label for label, seen in zip(LABELS, mask, strict=True) if seen]
        rows = (x[chosen].flatten(1).tolist() for x in (student, teacher))
        expected = by_hand(*rows, labels, options.get("compactness", 0.0)) * sum(mask) / 5
    distiller = build(name, [shape], [shape], intra=3.0, inter=2.0, **options)
    ours = loss_of(distiller, [student], [teacher], chosen)
    assert float(ours) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(mask=masks, seed=st.integers(0, 1000))
def test_with_the_filter_samples_lie_around_those_that_their_network_classifies_correctly(
    mask: list[bool], seed: int
) -> None:
    source = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, 5, 2, 2, 2, generator=source, dtype=torch.float64)
    logits = torch.randn(2, 5, 4, generator=source, dtype=torch.float64)
    shapes = ((2, 2, 2), (4,))
    pair = Pair((Spot(3, 3), Spot(5, 5)), shapes, shapes, torch.tensor(LABELS))
    category = CategoryStructure(pair, intra=3.0, inter=2.0, filtered=True)
    index, chosen = torch.arange(5), torch.tensor(mask)
    batch = Batch(torch.zeros(5, 1, 4, 4), torch.tensor(LABELS), index, 0)
    columns = torch.stack([chosen, torch.zeros_like(chosen)], dim=1)
    students, teachers = ([maps[k], logits[k]] for k in range(2))
    loss = category.losses(students, teachers, batch, columns)
    expected = 0.0
    if any(mask):
        labels = batch.labels[chosen].tolist()
        rows = (x[chosen].flatten(1).tolist() for x in maps)
        answers = [x[chosen].argmax(dim=1).tolist() for x in logits]
        expected = by_hand(*rows, labels, 0.0, answers) * sum(mask) / 5
    assert float(loss) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_student_may_have_its_own_place_but_not_its_own_angles(
    build: Build, loss_of: LossOf
) -> None:
    """A shift of one class changes its angles to others and nothing within it."""
    everybody = torch.ones(5, dtype=torch.bool)
    teacher = torch.randn(5, 6, dtype=torch.float64)
    student = teacher + torch.tensor([1.0, 0, 0, 0, 1.0], dtype=torch.float64)[:, None]
    within = build("category_logits", [(6,)], [(6,)], inter=0.0, compactness=0.0)
    between = build("category_logits", [(6,)], [(6,)], intra=0.0, compactness=0.0)
    assert float(loss_of(within, [student], [teacher], everybody)) < 1e-12
    assert float(loss_of(between, [student], [teacher], everybody)) > 1e-6


def test_other_channels_are_projected(build: Build, loss_of: LossOf) -> None:
    category = build("category", [(2, 3, 3)], [(4, 3, 3)])
    student, teacher = torch.randn(5, 2, 3, 3).double(), torch.randn(5, 4, 3, 3).double()
    everybody = torch.ones(5, dtype=torch.bool)
    plain = build("category", [(4, 3, 3)], [(4, 3, 3)])
    expected = loss_of(plain, [category.projection(student)], [teacher], everybody)
    torch.testing.assert_close(loss_of(category, [student], [teacher], everybody), expected)
