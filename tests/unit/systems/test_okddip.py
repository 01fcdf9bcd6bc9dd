"""OKDDip: attention among peers, and whom its gradients reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.systems import System
from sakd.systems.okddip import Attention, PeerSettings

Make = Callable[..., System[Any]]
Batches = Callable[..., Batch]


def test_without_queries_all_peers_count_alike() -> None:
    attention = Attention(16)
    torch.nn.init.zeros_(attention.query.weight)
    seen = attention([torch.randn(4, 16) for _ in range(3)])
    torch.testing.assert_close(seen, torch.full((4, 3, 3), 1 / 3))


@pytest.mark.parametrize("networks", [False, True])
def test_peers_are_branches_or_networks(
    networks: bool, small_system: Make, small_batch: Batches
) -> None:
    system = small_system("okddip", networks=networks).eval()
    images = small_batch(3).images
    seen = {name: network(images) for name, network in system.further_networks().items()}
    assert list(seen) == ["peer1", "peer2", "peer3", "ensemble"]
    peers = [seen[f"peer{number}"] for number in (1, 2, 3)]
    torch.testing.assert_close(seen["ensemble"], sum(peers) / 3)
    whole = [p for tail in system.tails for name, p in tail.named_parameters() if "stem" in name]
    assert bool(whole) == networks


@pytest.mark.parametrize("detached", [False, True])
def test_the_leader_moves_the_peers_unless_they_are_given(
    detached: bool, small_system: Make, small_batch: Batches
) -> None:
    system = small_system("okddip", networks=True, detach_leader=detached)
    own, *peers = (branch.logits for branch in system.branches(small_batch(3).images)[1])
    embeddings = [torch.zeros(6, 8) for _ in peers]

    def gradient(logits: list[torch.Tensor], ramp: float) -> torch.Tensor:
        system.ramp.weight.fill_(ramp)
        loss = system.losses([own.detach(), *logits], embeddings, small_batch(3)).losses["student"]
        return torch.autograd.grad(loss, peers[0], retain_graph=True)[0]

    # Equal peers agree with the mixtures of each other, so that the leader alone can move them.
    moved = gradient([peers[0]] * 3, 1.0) - gradient([peers[0]] * 3, 0.0)
    assert bool(moved.norm() < 1e-6) == detached


def test_queries_and_keys_are_trained(small_system: Make, small_batch: Batches) -> None:
    system = small_system("okddip")
    system.ramp.weight.fill_(1.0)
    loss = system(small_batch(3)).losses["student"]
    gradients = torch.autograd.grad(loss, list(system.attention.parameters()))
    assert all(float(gradient.norm()) > 0 for gradient in gradients)


def test_there_are_two_peers() -> None:
    with pytest.raises(UserError, match="peers must be 2 or more, got 1"):
        PeerSettings(peers=1)
