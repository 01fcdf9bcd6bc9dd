"""Every distiller equals its formula, written out sample by sample in plain floats."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

Rows = list[list[float]]
SIZE = 5
masks = st.lists(st.booleans(), min_size=SIZE, max_size=SIZE)


def dot(x: list[float], y: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


def unit(x: list[float]) -> list[float]:
    length = max(math.sqrt(dot(x, x)), 1e-12)
    return [a / length for a in x]


def less(x: list[float], y: list[float]) -> list[float]:
    return [a - b for a, b in zip(x, y, strict=True)]


def huber(difference: float) -> float:
    size = abs(difference)
    return size - 0.5 if size >= 1 else 0.5 * size * size


def kd_by_hand(student: Tensor, teacher: Tensor) -> float:
    def softened(logits: list[float]) -> list[float]:
        powers = [math.exp(z / 4.0) for z in logits]
        return [power / math.fsum(powers) for power in powers]

    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        pairs = zip(softened(s), softened(t), strict=True)
        total += math.fsum(p * math.log(p / q) for q, p in pairs)
    return 16.0 * total / len(student)


def attention_by_hand(sample: Tensor) -> list[float]:
    channels, height, width = sample.shape
    values = sample.tolist()
    return unit(
        [
            sum(values[c][i][j] ** 2 for c in range(channels)) / channels
            for i in range(height)
            for j in range(width)
        ]
    )


def at_by_hand(student: Tensor, teacher: Tensor) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        difference = less(attention_by_hand(s), attention_by_hand(t))
        total += dot(difference, difference) / len(difference)
    return total / len(student)


def sp_by_hand(student: Tensor, teacher: Tensor) -> float:
    def gram(features: Rows) -> Rows:
        return [unit([dot(x, y) for y in features]) for x in features]

    s, t = gram(student.flatten(1).tolist()), gram(teacher.flatten(1).tolist())
    differences = [less(a, b) for a, b in zip(s, t, strict=True)]
    return math.fsum(dot(row, row) for row in differences) / len(student) ** 2


def rkd_by_hand(student: Tensor, teacher: Tensor) -> float:
    n = range(len(student))

    def distances(rows: Rows) -> Rows:
        table = [[math.dist(a, b) for b in rows] for a in rows]
        positive = [d for row in table for d in row if d > 0]
        mean = math.fsum(positive) / len(positive) if positive else 1.0
        return [[d / mean for d in row] for row in table]

    def cosine(rows: Rows, i: int, j: int, k: int) -> float:
        return dot(unit(less(rows[j], rows[i])), unit(less(rows[k], rows[i])))

    s, t = student.tolist(), teacher.tolist()
    ds, dt = distances(s), distances(t)
    distance = math.fsum(huber(ds[i][j] - dt[i][j]) for i in n for j in n) / len(n) ** 2
    angle = math.fsum(
        huber(cosine(s, i, j, k) - cosine(t, i, j, k)) for i in n for j in n for k in n
    )
    return 25.0 * distance + 50.0 * angle / len(n) ** 3


def fitnet_by_hand(student: Tensor, teacher: Tensor) -> float:
    """Take a rectifier for the regressor."""
    pairs = zip(student.flatten().tolist(), teacher.flatten().tolist(), strict=True)
    return math.fsum((max(a, 0.0) - b) ** 2 for a, b in pairs) / student.numel()


def jacobian_by_hand(student: Tensor, teacher: Tensor) -> float:
    total = 0.0
    for s, t in zip(student.flatten(1).tolist(), teacher.flatten(1).tolist(), strict=True):
        difference = less(unit(s), unit(t))
        total += dot(difference, difference) / len(difference)
    return total / len(student)


def crcd_gradient_by_hand(student: Tensor, teacher: Tensor) -> float:
    pairs = zip(student.tolist(), teacher.tolist(), strict=True)
    return math.fsum(1 - dot(unit(s), unit(t)) for s, t in pairs) / len(student)


FORMULAS: dict[str, tuple[Callable[[Tensor, Tensor], float], tuple[int, ...], tuple[int, ...]]] = {
    "kd": (kd_by_hand, (6,), (6,)),
    "fitnet": (fitnet_by_hand, (2, 3, 3), (2, 3, 3)),
    "at": (at_by_hand, (2, 3, 3), (4, 3, 3)),
    "sp": (sp_by_hand, (2, 3, 3), (4, 2, 2)),
    "rkd": (rkd_by_hand, (3,), (4,)),
    "jacobian": (jacobian_by_hand, (3, 2, 2), (3, 2, 2)),
    "crcd_gradient": (crcd_gradient_by_hand, (3,), (3,)),
}


def build(name: str, student: tuple[int, ...], teacher: tuple[int, ...]) -> Distiller:
    pair = Pair((Spot(1, 1),), (student,), (teacher,), torch.zeros(1, dtype=torch.int64))
    distiller = DISTILLERS[name](pair)
    if name == "fitnet":
        distiller.regressor = nn.ReLU()
    return distiller


def loss_of(distiller: Distiller, student: Tensor, teacher: Tensor, chosen: Tensor) -> float:
    index = torch.arange(len(student))
    batch = Batch(torch.zeros(len(student), 1, 4, 4), index, index, 0)
    return float(distiller.loss(0, student, teacher, batch, chosen).detach())


@pytest.mark.parametrize("name", FORMULAS)
@given(mask=masks, seed=st.integers(0, 1000))
def test_a_masked_loss_equals_the_formula_by_hand_times_the_share_chosen(
    name: str, mask: list[bool], seed: int
) -> None:
    formula, student_shape, teacher_shape = FORMULAS[name]
    source = torch.Generator().manual_seed(seed)
    student = torch.randn(SIZE, *student_shape, generator=source, dtype=torch.float64)
    teacher = torch.randn(SIZE, *teacher_shape, generator=source, dtype=torch.float64)
    chosen = torch.tensor(mask)
    expected = formula(student[chosen], teacher[chosen]) * sum(mask) / SIZE if any(mask) else 0.0
    ours = loss_of(build(name, student_shape, teacher_shape), student, teacher, chosen)
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_single_sample_of_zeros_is_not_even_like_itself() -> None:
    sp, alone = build("sp", (2, 3, 3), (2, 3, 3)), torch.arange(SIZE) == 1
    maps = torch.randn(SIZE, 2, 3, 3, dtype=torch.float64)
    assert loss_of(sp, 0 * maps, maps, alone) == pytest.approx(1 / SIZE, rel=1e-12)
    assert loss_of(sp, 2 * maps, maps, alone) == pytest.approx(0, abs=1e-12)


def test_at_averages_the_larger_map_to_the_size_of_the_smaller() -> None:
    source = torch.Generator().manual_seed(0)
    large = torch.randn(SIZE, 3, 4, 4, generator=source, dtype=torch.float64)
    small = torch.randn(SIZE, 2, 2, 2, generator=source, dtype=torch.float64)
    corners = [(i, j) for i in (0, 2) for j in (0, 2)]
    means = [large[..., i : i + 2, j : j + 2].mean(dim=(2, 3)) for i, j in corners]
    pooled = torch.stack(means, dim=2).view(SIZE, 3, 2, 2)
    everybody = torch.ones(SIZE, dtype=torch.bool)
    at = build("at", (3, 4, 4), (2, 2, 2))
    assert loss_of(at, large, small, everybody) == pytest.approx(at_by_hand(pooled, small))
    assert loss_of(at, small, large, everybody) == pytest.approx(at_by_hand(small, pooled))


def test_kd_is_divided_by_the_square_of_its_temperature_only_in_the_softmax() -> None:
    pair = Pair((Spot(1, 1),), ((2,),), ((2,),), torch.zeros(1, dtype=torch.int64))
    kd = DISTILLERS["kd"](pair, temperature=2.0)
    logits = torch.tensor([[0.0, 0.0], [2.0 * math.log(3.0), 0.0]], dtype=torch.float64)
    expected = 4.0 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    loss = loss_of(kd, logits[:1], logits[1:], torch.tensor([True]))
    assert loss == pytest.approx(expected, rel=1e-12)


def test_a_teacher_that_is_trained_learns_nothing_from_rkd() -> None:
    student, teacher = torch.randn(2, SIZE, 3).requires_grad_().unbind()
    batch = Batch(torch.zeros(SIZE, 1, 4, 4), torch.arange(SIZE), torch.arange(SIZE), 0)
    everybody = torch.ones(SIZE, dtype=torch.bool)
    loss = build("rkd", (3,), (3,)).loss(0, student, teacher, batch, everybody)
    ours, theirs = torch.autograd.grad(loss, (student, teacher), allow_unused=True)
    assert ours.any()
    assert theirs is None


def test_fitnets_regressor_sees_the_whole_batch_whoever_is_chosen() -> None:
    pair = Pair((Spot(2, 2),), ((2, 4, 4),), ((3, 4, 4),), torch.zeros(1, dtype=torch.int64))
    fitnet = DISTILLERS["fitnet"](pair).double()
    student, teacher = (torch.randn(SIZE, c, 4, 4, dtype=torch.float64) for c in (2, 3))
    chosen = torch.tensor([True, False, False, True, False])
    regressed = fitnet.get_submodule("regressor")(student)
    expected = (regressed - teacher)[chosen].square().mean() * 2 / SIZE
    assert loss_of(fitnet, student, teacher, chosen) == pytest.approx(
        float(expected.detach()), rel=1e-9
    )


def test_fitnet_has_nothing_to_learn_when_the_regression_is_right() -> None:
    pair = Pair((Spot(2, 2),), ((2, 4, 4),), ((3, 4, 4),), torch.zeros(1, dtype=torch.int64))
    fitnet = DISTILLERS["fitnet"](pair)
    student = torch.randn(SIZE, 2, 4, 4)
    teacher = fitnet.get_submodule("regressor")(student).detach()
    assert loss_of(fitnet, student, teacher, torch.ones(SIZE, dtype=torch.bool)) == 0.0


PUBLISHED = {
    "kd": (1, 1),
    "fitnet": (1, 1),
    "at": (1000, 2),
    "sp": (3000, 1),
    "rkd": (1, 2),
    "cc": (0.02, 1),
    "crd": (0.8, 1),
    "ft": (200, 1),
    "vid": (1, 2),
    "nst": (50, 1),
    "pkt": (30000, 1),
    "ofd": (0.001, 1),
    "simkd": (1, 1),
    "dkd": (1, 1),
    "dist": (1, 1),
    "reviewkd": (5, 1),
    "category": (1, 1),
    "category_logits": (1, 1),
    "triplet": (2, 1),
    "irg": (0.0025, 1),
    "irg_transform": (0.005, 1),
    "afd": (200, 1),
    "l2tww": (0.5, 1),
    "skd": (0.5, 1),
    "crcd": (1, 1),
    "crcd_gradient": (10, 1),
    "tofd": (1, 1),
    "mgd": (0.0001, 1),
}
UNPUBLISHED = {
    "kdsvd": (1, 1),
    "ab": (1, 1),
    "fsp": (50, 1),
    "cwd": (50, 1),
    "ka": (1, 1),
    "dtd": (1, 1),
    "pad": (1, 1),
    "lcc": (1, 1),
    "cat": (1, 1),
    "jacobian": (20, 1),
    "attentive": (500, 1),
    "sskd": (1, 1),
    "projection": (1, 1),
}


def test_the_default_weights_and_gammas_are_the_published_ones_where_there_are_any() -> None:
    defaults = {name: (kind.weight, kind.gamma) for name, kind in DISTILLERS.items()}
    assert defaults == PUBLISHED | UNPUBLISHED
