"""An operation that only objectives of second order mind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor


class Once(torch.autograd.Function):
    """Doubles, and has a gradient without a gradient of its own."""

    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient


@pytest.fixture
def once() -> Callable[[Tensor], Tensor]:
    """Doubling that can be differentiated once."""
    return Once.apply
