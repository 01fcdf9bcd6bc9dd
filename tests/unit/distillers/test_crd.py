"""Contrastive distillation equals its formula; its draw is fair, and its memory exact."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.parts.contrast import draw_contrast
from sakd.distillers.parts.memory import MemoryBank, at_once
from sakd.foundation.errors import UserError
from sakd.networks.spots import Spot

Build = Callable[..., Distiller]
Rows = list[list[float]]
N, CLASSES, WIDTH = 12, 4, 2


def dot(x: list[float], y: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


def embedded(layer: nn.Linear, sample: list[float]) -> list[float]:
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    values = [dot(row, sample) + bias for row, bias in rows]
    return [x / math.hypot(*values) for x in values]


def one_side(views: Rows, bank: Rows, images: list[int]) -> float:
    """Compute the loss of one network, with every image of another class as a contrast."""
    contrasts = [[i, *(j for j in range(N) if j % CLASSES != i % CLASSES)] for i in images]
    scores = [
        [math.exp(dot(view, bank[j]) / 0.07) for j in contrast]
        for view, contrast in zip(views, contrasts, strict=True)
    ]
    count = len(contrasts[0])
    scale = math.fsum(x for row in scores for x in row) / (len(scores) * count) * N
    noise = (count - 1) / N
    total = 0.0
    for own, *others in scores:
        total -= math.log(own / scale / (own / scale + noise + 1e-7))
        total -= math.fsum(math.log(noise / (x / scale + noise + 1e-7)) for x in others)
    return total / len(scores)


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_both_sides_tell_an_image_from_those_of_other_classes(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    crd = build("crd", [(3,)], [(4,)], feat_dim=WIDTH)
    images = [i for i, chosen in enumerate(mask) if chosen]
    student_bank, teacher_bank = crd.student_bank.rows.tolist(), crd.teacher_bank.rows.tolist()

    def by_hand(student: list[Tensor], teacher: list[Tensor]) -> float:
        views_s = [embedded(crd.student_embedding, x) for x in student[0].tolist()]
        views_t = [embedded(crd.teacher_embedding, x) for x in teacher[0].tolist()]
        return one_side(views_s, teacher_bank, images) + one_side(views_t, student_bank, images)

    assert_by_hand(crd, by_hand, mask, seed)


@given(seed=st.integers(0, 1000), count=st.integers(1, 9))
def test_contrast_is_other_images_of_other_classes(seed: int, count: int) -> None:
    source = torch.Generator().manual_seed(seed)
    labels, index = torch.arange(N) % CLASSES, torch.randperm(N, generator=source)[:5]
    drawn = draw_contrast(labels, index, count, source)
    assert drawn.shape == (5, 1 + count)
    assert torch.equal(drawn[:, 0], index)
    assert (labels[drawn[:, 1:]] != labels[index, None]).all()
    assert all(len(set(row)) == 1 + count for row in drawn.tolist())


def test_every_image_of_another_class_is_as_likely_and_rows_are_independent() -> None:
    labels, index = torch.tensor([0, 0, 1, 1, 1, 2]), torch.zeros(20_000, dtype=torch.int64)
    drawn = draw_contrast(labels, index, 2, torch.Generator().manual_seed(0))[:, 1:]
    shares = drawn.flatten().bincount(minlength=6) / len(index)
    torch.testing.assert_close(shares, torch.tensor([0, 0, 0.5, 0.5, 0.5, 0.5]), rtol=0, atol=0.02)
    pairs = (drawn.sort(dim=1).values * torch.tensor([10, 1])).sum(dim=1)
    shares = pairs.bincount(minlength=60)[[23, 24, 25, 34, 35, 45]] / len(index)
    torch.testing.assert_close(shares, torch.full((6,), 1 / 6), rtol=0, atol=0.02)


def test_one_seed_draws_one_contrast() -> None:
    labels, index = torch.arange(N) % CLASSES, torch.arange(5)
    draws = [draw_contrast(labels, index, 3, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize(("size", "count"), [(12, 9), (200, 3)])
def test_one_product_with_the_bank_equals_products_with_its_rows(size: int, count: int) -> None:
    bank, view = MemoryBank(size, 4, temperature=0.07, momentum=0.5), torch.randn(5, 4)
    contrast = torch.randint(size, (5, count))
    expected = torch.einsum("bkd,bd->bk", bank.rows[contrast], view)
    torch.testing.assert_close(bank.products(view, contrast), expected)


def batch_of(index: Tensor) -> Batch:
    return Batch(torch.zeros(5, 1, 4, 4), index % CLASSES, index, 0)


@pytest.mark.parametrize("name", ["crd", "crcd"])
def test_the_memory_follows_the_chosen_samples_only(name: str, build: Build) -> None:
    crd = build(name, [(3,)], [(4,)], feat_dim=WIDTH, momentum=0.75)
    before = {side: getattr(crd, f"{side}_bank").rows.clone() for side in ("student", "teacher")}
    student, teacher = (torch.randn(5, n, dtype=torch.float64) for n in (3, 4))
    index, chosen = torch.tensor([7, 3, 0, 9, 4]), torch.tensor([True, False, True, False, False])
    crd.loss(0, student, teacher, batch_of(index), chosen)
    for side, features in (("student", student), ("teacher", teacher)):
        rows, layer = getattr(crd, f"{side}_bank").rows, crd.get_submodule(f"{side}_embedding")
        for i, old in enumerate(before[side].tolist()):
            expected = old
            if i in (7, 0):
                view = embedded(layer, features[index.tolist().index(i)].tolist())
                mixed = [0.75 * a + 0.25 * b for a, b in zip(old, view, strict=True)]
                expected = [x / math.hypot(*mixed) for x in mixed]
            assert rows[i].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["crd", "crcd"])
def test_the_scale_is_that_of_the_first_batch_with_anybody_chosen(name: str, build: Build) -> None:
    crd = build(name, [(3,)], [(4,)], feat_dim=WIDTH)
    scales = []
    for chosen in ([False] * 5, [False, True, True, False, False], [True] * 5):
        student, teacher = (torch.randn(5, n, dtype=torch.float64) for n in (3, 4))
        crd.loss(0, student, teacher, batch_of(torch.arange(5)), torch.tensor(chosen))
        scales.append((float(crd.student_bank.scale), float(crd.teacher_bank.scale)))
    assert scales[0] == (0, 0)
    assert min(scales[1]) > 0
    assert scales[1] == scales[2]


def test_one_chosen_sample_sets_a_scale_however_small_and_it_stays() -> None:
    bank = MemoryBank(N, WIDTH, temperature=0.5, momentum=0.5).double()
    products = torch.tensor([[-2.0, -3.0], [1.0, 2.0]], dtype=torch.float64)
    alone = torch.tensor([True, False])
    scores = bank.scaled(products, alone)
    scale = N * (math.exp(-4) + math.exp(-6)) / 2
    assert scale < 1
    assert float(bank.scale) == pytest.approx(scale)
    torch.testing.assert_close(scores, (2 * products).exp() / scale)
    bank.scaled(products, ~alone)
    assert float(bank.scale) == pytest.approx(scale)


def test_a_bank_begins_with_rows_of_about_unit_length() -> None:
    rows = MemoryBank(2000, 16, temperature=1.0, momentum=0.5).rows
    assert float(rows.square().sum(dim=1).mean()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("name", ["crd", "crcd"])
def test_no_graph_is_kept_alive_and_the_memory_is_in_the_state(name: str, build: Build) -> None:
    crd = build(name, [(3,)], [(4,)], feat_dim=WIDTH)
    student = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(5, 4, dtype=torch.float64)
    everybody = torch.ones(5, dtype=torch.bool)
    for _ in range(2):
        crd.loss(0, student, teacher, batch_of(torch.arange(5)), everybody).backward()
    assert not any(buffer.requires_grad for buffer in crd.buffers())
    state = copy.deepcopy(crd).state_dict()
    banks = {f"{side}_bank.{part}" for side in ("student", "teacher") for part in ("rows", "scale")}
    assert banks <= set(state)
    assert all(torch.equal(state[name], crd.get_buffer(name)) for name in banks)


@pytest.mark.parametrize(("size", "count"), [(12, 9), (200, 3)])
def test_a_memory_changes_in_place_after_the_gradient_has_what_it_needs(
    size: int, count: int
) -> None:
    bank = MemoryBank(size, 4, temperature=0.07, momentum=0.5).double()
    places = [buffer.data_ptr() for buffer in bank.buffers()]
    everybody, index = torch.ones(5, dtype=torch.bool), torch.arange(5)
    upstream = torch.arange(5, dtype=torch.float64)
    for _ in range(2):
        view = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
        contrast, before = torch.randint(size, (5, count)), bank.rows.clone()
        summed = at_once(lambda v, c=contrast: bank(v, c, everybody).sum(dim=1), view)
        scores = bank(view, contrast, everybody).detach()
        assert torch.equal(summed.detach(), scores.sum(dim=1))
        bank.follow(view, index, everybody)
        (gradient,) = torch.autograd.grad(summed @ upstream, view)
        by_hand = torch.einsum("b,bk,bkd->bd", upstream, scores, before[contrast]) / 0.07
        torch.testing.assert_close(gradient, by_hand)
        assert not torch.equal(bank.rows[:5], before[:5])
    assert [buffer.data_ptr() for buffer in bank.buffers()] == places


def test_contrast_takes_at_most_the_images_of_other_classes() -> None:
    labels = torch.tensor([0] * 7 + [1] * 3 + [2] * 2)
    pair = Pair((Spot(4, 4),), ((3,),), ((4,),), labels)
    crd = DISTILLERS["crd"](pair)
    assert crd.negatives == 5
    assert DISTILLERS["crd"](pair, k=4).negatives == 4
    index = torch.arange(5)
    batch = Batch(torch.zeros(5, 1, 4, 4), labels[index], index, 0)
    assert crd.contrast(batch).shape == (5, 6)


@pytest.mark.parametrize(
    ("labels", "k", "complaint"),
    [([0, 0, 0], 4, "two classes"), ([0, 1, 1], 0, "k must be above 0, got 0")],
)
def test_no_contrast_is_refused(labels: list[int], k: int, complaint: str) -> None:
    pair = Pair((Spot(4, 4),), ((3,),), ((4,),), torch.tensor(labels))
    with pytest.raises(UserError, match=complaint):
        DISTILLERS["crd"](pair, k=k)
