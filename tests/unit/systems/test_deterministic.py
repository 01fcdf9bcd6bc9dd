"""Deterministic operations alone: no method needs another, on a CPU or on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch.utils._python_dispatch import TorchDispatchMode

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.foundation import pooling
from sakd.foundation.determinism import compute_deterministically
from sakd.objectives import Objective
from sakd.routing import POLICIES
from sakd.systems import SYSTEMS
from sakd.training import Run, pretrain

REFUSED = {
    "aten::_adaptive_avg_pool2d",
    "aten::_adaptive_avg_pool2d_backward",
    "aten::adaptive_max_pool2d_backward",
    "aten::upsample_bicubic2d_backward",
    "aten::reflection_pad1d_backward",
    "aten::reflection_pad2d_backward",
    "aten::grid_sampler_2d_backward",
    "aten::nll_loss2d_forward",
    "aten::put_",
    "aten::histc",
    "aten::scatter_reduce",
}
"""Operations that torch refuses on a GPU in this mode, of those that could be used here."""

METHODS = [
    *((name, "adaptive") for name in DISTILLERS),
    *(("kd", name) for name in POLICIES),
    *((name, "always") for name in SYSTEMS),
]


class Noted(TorchDispatchMode):
    """Notes the names of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func._schema.name)
        return func(*args, **(kwargs or {}))


@pytest.mark.usefixtures("usual_operations")
@pytest.mark.parametrize(("method", "policy"), METHODS, ids=map("-".join, METHODS))
def test_a_gpu_would_refuse_no_operation(
    method: str,
    policy: str,
    small_objective: Callable[..., Objective],
    small_system: Callable[..., Objective],
    small_stream: Callable[..., BatchStream],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compute_deterministically()
    monkeypatch.setattr(pooling, "is_refused", lambda _: True)  # as on a GPU
    in_system = method in SYSTEMS
    objective = small_system(method) if in_system else small_objective(method, policy)
    run, stream = Run(objective, epochs=2), small_stream(1)
    with Noted() as noted:
        pretrain(objective, stream)
        run.start(len(stream))
        run.begin_epoch(stream)
        run.step(next(stream.epoch(0)))
    assert not noted.names & REFUSED
