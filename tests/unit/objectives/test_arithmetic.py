"""Which arithmetic the parts of a step have where networks are under automatic casts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.networks.adapters import Adapter
from sakd.objectives import SpotDistillation


@pytest.mark.parametrize("distiller", ["fitnet", "ft", "vid", "ofd", "ab", "reviewkd"])
def test_adapters_of_a_loss_run_as_networks_do_and_their_results_are_compared_in_full_precision(
    distiller: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    objective, within, results = small_objective(distiller, "always"), [], []

    def record(to: list[torch.dtype]) -> Callable[[nn.Module, object, Tensor], None]:
        return lambda _module, _given, result: to.append(result.dtype)

    for adapter in objective.distillers.modules():
        if isinstance(adapter, Adapter):
            adapter.register_forward_hook(record(results))
            for layer in adapter:
                if isinstance(layer, nn.Conv2d):
                    layer.register_forward_hook(record(within))
    with torch.autocast("cpu", torch.bfloat16):
        found = objective(small_batch(0))
    assert set(within) == {torch.bfloat16}
    assert set(results) == {torch.float32}
    assert {loss.dtype for loss in found.losses.values()} == {torch.float32}
