"""Contrastive distillation of relations equals its formula, in little memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sakd.data import Batch
from sakd.distillers import Distiller, Epoch
from sakd.distillers.parts.relations import RelationBank
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]
Row = list[float]
N, CLASSES, WIDTH = 12, 4, 2


def dot(x: Row, y: Row) -> float:
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


def unit(x: Row) -> Row:
    return [a / math.hypot(*x) for a in x]


def relation(x: Row, anchor: Row) -> Row:
    return unit([a - b + 1e-6 for a, b in zip(x, anchor, strict=True)])


def one_side(views: list[Row], bank: list[Row], images: list[int]) -> float:
    """Compute the loss of one network, with every image of another class as a contrast."""
    scores = []
    for view, image in zip(views, images, strict=True):
        contrast = [image, *(j for j in range(N) if j % CLASSES != image % CLASSES)]
        for anchor in (bank[i] for i in images):
            own = relation(view, anchor)
            cosines = (dot(own, relation(bank[j], anchor)) for j in contrast)
            scores.append([math.exp(cosine / 0.05) for cosine in cosines])
    scale = math.fsum(x for row in scores for x in row) / (len(scores) * len(scores[0])) * N
    noise, total = (len(scores[0]) - 1) / N, 0.0
    for own, *others in scores:
        total -= math.log(own / scale / (own / scale + noise + 1e-7))
        total -= math.fsum(math.log(noise / (x / scale + noise + 1e-7)) for x in others)
    return total / len(scores)


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
@example(mask=[False, True, False, False, False], seed=0)
def test_both_sides_tell_relations_apart_seen_from_every_chosen_sample(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    crcd = build("crcd", [(3,)], [(4,)], feat_dim=WIDTH)
    images = [i for i, chosen in enumerate(mask) if chosen]
    banks = [bank.rows.tolist() for bank in (crcd.teacher_bank, crcd.student_bank)]
    layers = crcd.student_embedding, crcd.teacher_embedding

    def by_hand(*features: list[Tensor]) -> float:
        views = [
            [unit(row) for row in layer(x[0]).tolist()]
            for layer, x in zip(layers, features, strict=True)
        ]
        return sum(one_side(v, bank, images) for v, bank in zip(views, banks, strict=True))

    assert_by_hand(crcd, by_hand, mask, seed)


def test_the_memory_starts_at_unit_length(build: Build) -> None:
    bank = build("crcd", [(3,)], [(4,)]).student_bank
    torch.testing.assert_close(bank.rows.norm(dim=1), torch.ones(N, dtype=torch.float64))


@pytest.mark.parametrize(("size", "count"), [(12, 9), (200, 3)])
def test_distances_of_all_rows_equal_those_of_the_rows_that_are_wanted(
    size: int, count: int
) -> None:
    bank = RelationBank(size, 4, temperature=0.05, momentum=0.5)
    contrast, anchors = torch.randint(size, (5, count)), torch.randn(6, 4)
    expected = (bank.rows[contrast][:, None] - anchors[:, None]).norm(dim=3)
    torch.testing.assert_close(bank.distances(anchors, contrast), expected)


def test_the_last_epochs_are_at_rest(build: Build) -> None:
    """The first author's 0.04 of 250 epochs are ten; the memory goes on."""
    crcd = build("crcd", [(3,)], [(4,)], rest=0.04)
    student, everybody = torch.randn(5, 3).double(), torch.ones(5, dtype=torch.bool)
    batch = Batch(torch.zeros(5, 1, 4, 4), torch.arange(5) % CLASSES, torch.arange(5), 0)
    for number in (0, 239, 240, 249):
        crcd.begin_epoch(Epoch(number, 250, lambda: iter(())))
        before = crcd.student_bank.rows.clone()
        loss = crcd.loss(0, student.requires_grad_(), torch.randn(5, 4).double(), batch, everybody)
        (gradient,) = torch.autograd.grad(loss, student)
        assert bool(loss) == bool(gradient.any()) == (number < 240)
        assert not torch.equal(crcd.student_bank.rows, before)


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_rest_must_leave_epochs(share: float, build: Build) -> None:
    with pytest.raises(UserError, match=rf"rest .*\[0, 1\).* {share}"):
        build("crcd", [(3,)], [(4,)], rest=share)


class Largest(TorchDispatchMode):
    """Notes the most bytes of a tensor that is made in a context."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = [x.untyped_storage().nbytes() for x in tree_leaves(result) if isinstance(x, Tensor)]
        self.bytes = max(self.bytes, *made, 0)
        return result


def test_no_tensor_holds_all_differences(build: Build) -> None:
    """For B^2 relations to K rows of D elements there are B^2 (K + D) numbers, not B^2 K D."""
    size, width = 16, 64
    crcd = build("crcd", [(3,)], [(4,)], feat_dim=width)
    student, teacher = (torch.randn(size, n, dtype=torch.float64) for n in (3, 4))
    index, everybody = torch.arange(size) % N, torch.ones(size, dtype=torch.bool)
    batch = Batch(torch.zeros(size, 1, 4, 4), index % CLASSES, index, 0)
    with Largest() as largest:
        crcd.loss(0, student.requires_grad_(), teacher, batch, everybody).backward()
    assert size**2 * crcd.negatives * 8 <= largest.bytes <= size**2 * (crcd.negatives + width) * 8
