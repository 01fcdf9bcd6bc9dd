"""What tests of recorded steps on a GPU share."""

from __future__ import annotations

import pytest
import torch

from sakd.training import Run

ON_A_GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
]


def assert_close(one: Run, other: Run, part: str = "") -> None:
    """Check that two trainings ended alike, but for rounding, in a ``part`` or whole."""
    assert (one.failure, other.failure) == (None, None)
    for ours, theirs in zip(one.history, other.history, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-4)
    theirs = other.objective.get_submodule(part).state_dict()
    for name, value in one.objective.get_submodule(part).state_dict().items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-3, atol=1e-4, msg=name)
