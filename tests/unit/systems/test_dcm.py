"""Dense mutual distillation: without heads it is mutual learning; heads are tails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.systems import System
from sakd.systems.dcm import DenseSettings

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]


def test_without_heads_it_is_mutual_learning(small_system: Make, small_batch: Batches) -> None:
    dense, mutual = small_system("dcm", heads=0), small_system("dml")
    found, expected = (system(small_batch(3)).losses for system in (dense, mutual))
    assert found.keys() == expected.keys()
    for name, loss in expected.items():
        assert torch.equal(found[name], loss)


def test_heads_begin_after_the_stages_before_the_last(small_system: Make) -> None:
    system = small_system("dcm")
    for headed in system.everyone.values():
        first, second = ([*head.stage_names] for head in headed.heads)
        assert first == ["stage2", "stage3", "embedding", "head"]
        assert second == ["stage3", "embedding", "head"]


def test_the_peer_and_the_heads_are_measured(small_system: Make, small_batch: Batches) -> None:
    system, images = small_system("dcm").eval(), small_batch(3).images
    ours = system.everyone["student"](images)
    seen = {name: network(images) for name, network in system.further_networks().items()}
    assert list(seen) == ["peer1", "head1", "head2"]
    torch.testing.assert_close(seen["head1"], ours[1])
    torch.testing.assert_close(seen["head2"], ours[2])


def test_a_network_has_the_stages_for_its_heads(small_system: Make) -> None:
    with pytest.raises(UserError, match=r"stem, stage1, stage2, stage3, .* take one with 7"):
        small_system("dcm", heads=4)
    with pytest.raises(UserError, match="heads must not be negative: -1"):
        DenseSettings(heads=-1)
