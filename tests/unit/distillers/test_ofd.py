"""The overhaul of feature distillation equals its formula; its margins are means."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sakd.distillers import Distiller
from sakd.distillers.parts.margins import NegativeMean, shortfalls

Build = Callable[..., Distiller]
STUDENT, TEACHER = [(2, 3, 3), (3, 2, 2)], [(3, 3, 3), (2, 2, 2)]


def regressed(regressor: nn.Module, maps: list) -> list:
    """Apply 1x1 convolution and batch norm to a sample's maps (C, H, W), as lists."""
    weight, norm = regressor[0].weight[:, :, 0, 0].tolist(), regressor[1]
    rows, columns = len(maps[0]), len(maps[0][0])
    gains, shifts = norm.weight.tolist(), norm.bias.tolist()
    means, variances = norm.running_mean.tolist(), norm.running_var.tolist()
    out = []
    for c, row in enumerate(weight):
        scale = gains[c] / math.sqrt(variances[c] + norm.eps)
        mixed = [
            [math.fsum(w * m[y][x] for w, m in zip(row, maps, strict=True)) for x in range(columns)]
            for y in range(rows)
        ]
        out.append([[(v - means[c]) * scale + shifts[c] for v in line] for line in mixed])
    return out


def distance(student: float, teacher: float, margin: float) -> float:
    wanted = max(teacher, margin)
    return 0.0 if student <= wanted <= 0 else (student - wanted) ** 2


def by_hand(ofd: Distiller) -> Callable[[list[Tensor], list[Tensor]], float]:
    def total(student: list[Tensor], teacher: list[Tensor]) -> float:
        terms = []
        for k, factor in enumerate((0.5, 1.0)):
            margins = ofd.margins[k].mean.tolist()
            for ours, theirs in zip(student[k].tolist(), teacher[k].tolist(), strict=True):
                made = regressed(ofd.regressors[k], ours)
                terms += [
                    factor * distance(s, t, margin)
                    for margin, rows_s, rows_t in zip(margins, made, theirs, strict=True)
                    for row_s, row_t in zip(rows_s, rows_t, strict=True)
                    for s, t in zip(row_s, row_t, strict=True)
                ]
        return math.fsum(terms) / len(student[0])

    return total


def experienced(ofd: Distiller, seed: int) -> Distiller:
    """Give it margins, and batch norms that change their input."""
    source = torch.Generator().manual_seed(seed)
    for name, buffer in [*ofd.named_buffers(), *ofd.named_parameters()]:
        if buffer.is_floating_point() and "regressors.0.0" not in name:
            buffer.data.copy_(torch.rand(buffer.shape, generator=source) + 0.1)
        if name.endswith("mean"):
            buffer.data.neg_()
    return ofd


@given(mask=st.lists(st.booleans(), min_size=5, max_size=5), seed=st.integers(0, 1000))
def test_responses_that_the_teacher_would_stop_need_only_be_low_enough(
    mask: list[bool], seed: int, build: Build, assert_by_hand: Callable[..., None]
) -> None:
    ofd = experienced(build("ofd", STUDENT, TEACHER), seed)
    assert_by_hand(ofd, by_hand(ofd), mask, seed)


def test_maps_of_unequal_size_are_averaged_to_the_smaller(
    build: Build, loss_of: Callable[..., Tensor]
) -> None:
    ofd = build("ofd", [(2, 2, 2)], [(3, 4, 4)])
    student, teacher = (torch.randn(5, *s, dtype=torch.float64) for s in [(2, 2, 2), (3, 4, 4)])
    small = teacher.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean(dim=(3, 5))
    everybody = torch.ones(5, dtype=torch.bool)
    losses = [loss_of(ofd, [student], [maps], everybody) for maps in (teacher, small)]
    torch.testing.assert_close(*losses)


@given(seed=st.integers(0, 1000), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_margin_is_the_mean_of_all_negative_responses_seen_in_training(
    seed: int, sizes: list[int]
) -> None:
    source = torch.Generator().manual_seed(seed)
    shift = torch.tensor([0.0, -1.0, 9.0])[:, None, None]  # the last one is never negative
    batches = [torch.randn(b, 3, 2, 2, generator=source).double() + shift for b in sizes]
    margin = NegativeMean(3).double().train()
    for maps in batches:
        found = margin(maps)
    for c in range(3):
        seen = [v for maps in batches for v in maps[:, c].flatten().tolist() if v < 0]
        assert int(margin.count[c]) == len(seen)
        assert float(found[c]) == pytest.approx(math.fsum(seen) / max(len(seen), 1), rel=1e-9)


def test_below_a_wanted_response_of_zero_nothing_is_missed() -> None:
    student = torch.tensor([-2.0, -1.0, 0.0, 3.0]).view(4, 1, 1, 1)
    assert shortfalls(student, torch.zeros(4, 1, 1, 1)).tolist() == [0.0, 0.0, 0.0, 9.0]


def test_a_single_negative_response_is_its_mean() -> None:
    maps = torch.tensor([-2.0, 1.0, 0.0, 3.0]).view(1, 1, 2, 2)
    assert NegativeMean(1).train()(maps).flatten().tolist() == [-2.0]


def test_evaluation_leaves_the_margins_alone_and_a_checkpoint_keeps_them() -> None:
    margin = NegativeMean(3).train()
    margin(torch.randn(4, 3, 2, 2))
    before = {name: value.clone() for name, value in margin.state_dict().items()}
    margin.eval()(torch.randn(4, 3, 2, 2))
    other = NegativeMean(3).eval()
    other.load_state_dict(margin.state_dict())
    assert set(before) == {"mean", "count"}
    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


def test_margins_see_the_batch_whoever_is_chosen(build: Build, loss_of: Callable) -> None:
    means = []
    for chosen in ([True] * 5, [False, True, False, False, False]):
        ofd = build("ofd", STUDENT, TEACHER).train()
        source = torch.Generator().manual_seed(3)
        draw = [torch.randn(5, *s, generator=source).double() for s in (*STUDENT, *TEACHER)]
        loss_of(ofd, draw[:2], draw[2:], torch.tensor(chosen))
        means.append(torch.cat([margin.mean for margin in ofd.margins]))
    assert means[0].all()
    assert torch.equal(*means)


def test_regressors_begin_with_the_scale_that_keeps_gradients(build: Build) -> None:
    ofd = build("ofd", [(40, 2, 2)], [(300, 2, 2)])
    (convolution,) = (m for m in ofd.regressors.modules() if isinstance(m, nn.Conv2d))
    assert float(convolution.weight.detach().std()) == pytest.approx((2 / 300) ** 0.5, rel=0.05)
