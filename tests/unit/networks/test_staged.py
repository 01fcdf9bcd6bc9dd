"""Stages that are compiled."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from sakd.networks import StagedNetwork
from sakd.networks.staged import probe


def test_a_compiled_network_is_probed_as_it_is_written(
    small_network: Callable[[int], StagedNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(*_given: object, **_options: object) -> Tensor:
        raise RuntimeError("compiled")

    monkeypatch.setattr(torch, "compile", lambda *_given, **_options: compiled)
    network = small_network(0)
    network.compile_stages()
    assert len(probe(network, (3, 8, 8)).features) == network.depth
    with pytest.raises(RuntimeError, match="compiled"):
        network(torch.zeros(1, 3, 8, 8))
