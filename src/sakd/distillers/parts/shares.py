"""Numbers as shares of the largest."""

from __future__ import annotations

import torch
from torch import Tensor


def shares_of_largest(numbers: Tensor) -> Tensor:
    """Divide ``numbers`` of 0 or more by the largest, which is taken for a constant.

    If that is 0, or so small that its inverse overflows, they stay as they are.
    """
    largest = numbers.detach().amax()
    return numbers / torch.where(largest >= torch.finfo(numbers.dtype).tiny, largest, 1.0)
