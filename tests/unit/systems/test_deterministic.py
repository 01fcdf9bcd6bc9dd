"""Deterministic operations alone: none is refused on a CPU; those that are on a GPU are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch.utils._python_dispatch import TorchDispatchMode

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS
from sakd.foundation.determinism import compute_deterministically
from sakd.objectives import Objective
from sakd.routing import POLICIES
from sakd.systems import SYSTEMS
from sakd.training import Run, pretrain

REFUSED = {
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
NEEDY = {"reviewkd", "fsp", "afd"}
"""Methods that need such an operation for maps of the same size, too."""


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
def test_no_operation_is_refused_on_a_cpu_and_those_on_a_gpu_are_known(
    method: str,
    policy: str,
    small_objective: Callable[..., Objective],
    small_system: Callable[..., Objective],
    small_stream: Callable[..., BatchStream],
) -> None:
    compute_deterministically()
    in_system = method in SYSTEMS
    objective = small_system(method) if in_system else small_objective(method, policy)
    run, stream = Run(objective, epochs=2), small_stream(1)
    with Noted() as noted:
        pretrain(objective, stream)
        run.start(len(stream))
        run.begin_epoch(stream)
        run.step(next(stream.epoch(0)))
    assert bool(noted.names & REFUSED) == (method in NEEDY)


def test_the_page_of_reliability_names_the_methods_that_are_refused(root: Path) -> None:
    page = (root / "docs" / "reliability.md").read_text()
    (row,) = (line for line in page.splitlines() if "for maps of any size" in line)
    assert all(f"`{name}`" in row for name in NEEDY)
