"""FRSKD: the sizes of pyramids, and what the pyramid teaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.systems import SYSTEMS
from sakd.systems.parts.pyramid import Fusion, Pyramid, shrunk

Make = Callable[..., Any]


@pytest.mark.parametrize("sizes", [(8, 4, 2), (7, 4, 2), (8, 8, 4), (9, 3, 1), (4, 4), (6, 3, 3)])
def test_refined_maps_have_the_sizes_of_the_stages_and_twice_the_channels(
    sizes: tuple[int, ...],
) -> None:
    widths = (2, 3, 4)[: len(sizes)]
    maps = [torch.rand(2, c, size, size) for c, size in zip(widths, sizes, strict=True)]
    logits, refined = Pyramid(widths, 5)(maps)
    assert logits.shape == (2, 5)
    assert [one.shape[1] for one in refined] == [2 * c for c in widths]
    assert [one.shape[2:] for one in refined] == [one.shape[2:] for one in maps]
    assert all((one >= 0).all() for one in refined)


def test_windows_overlap_where_sizes_halve() -> None:
    rows = torch.arange(1.0, 5.0).expand(1, 1, 4, 4)
    assert shrunk(rows, (2, 2))[0, 0, 0].tolist() == [3.0, 4.0]
    odd = torch.arange(1.0, 6.0).expand(1, 1, 5, 5)
    assert shrunk(odd, (3, 3))[0, 0, 0].tolist() == [2.0, 4.0, 5.0]
    assert torch.equal(shrunk(rows, (4, 4)), rows)


def test_maps_are_fused_in_shares() -> None:
    fusion = Fusion(2, 3).eval()
    maps = torch.rand(2, 2, 3, 4, 4)
    even = fusion(*maps)
    with torch.no_grad():
        torch.testing.assert_close(even, fusion.layers(maps.mean(dim=0)), atol=1e-5, rtol=1e-5)
        fusion.weights.copy_(torch.tensor([3.0, -1.0]))
        expected = fusion.layers(maps[0])
    torch.testing.assert_close(fusion(*maps), expected, atol=1e-5, rtol=1e-5)


def test_the_student_is_taught_and_the_pyramid_learns_from_labels(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("frskd"), small_batch(3)
    seen = [x.detach().requires_grad_() for x in system.seen(batch, None)]
    terms = system.terms(batch, seen)
    reached = {
        name: [g is not None for g in torch.autograd.grad(term.loss, seen, allow_unused=True)]
        for name, term in terms.items()
    }
    none = [False] * 3
    assert reached == {  # the logits of student and pyramid, then the maps of both
        "cross_entropy": [True, False, *none, *none],
        "cross_entropy_pyramid": [False, True, *none, *none],
        "kd": [True, False, *none, *none],
        "at": [False, False, True, True, True, *none],
    }


def test_the_pyramid_is_measured(small_system: Make, small_batch: Callable[..., Batch]) -> None:
    system, images = small_system("frskd").eval(), small_batch(3).images
    (pyramid,) = system.further_networks().values()
    expected, _ = system.pyramid(system.student.extract(images).features[1:-1])
    assert torch.equal(pyramid(images), expected)


@pytest.mark.parametrize(
    ("setting", "value"), [("logits", -1.0), ("maps", -1.0), ("temperature", 0.0)]
)
def test_settings_have_bounds(setting: str, value: float) -> None:
    with pytest.raises(UserError, match=f"{setting} .*{value}"):
        SYSTEMS["frskd"].settings(**{setting: value})
