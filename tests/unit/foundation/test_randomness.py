"""Seeds and generators are functions of their parts."""

from __future__ import annotations

import hashlib

import pytest
import torch

from sakd.foundation.randomness import generator, mix, reseed, seeded


def test_a_mixed_seed_is_the_blake2b_digest_of_the_parts_as_json() -> None:
    digest = hashlib.blake2b(b'[1,"images",3]', digest_size=8).digest()
    assert mix(1, "images", 3) == sum(byte * 256 ** (7 - k) for k, byte in enumerate(digest))


def test_parts_order_type_and_grouping_all_matter() -> None:
    tuples = [(1, 2), (2, 1), (12,), (1, 2, 0), ("1", 2), ("1", "2"), ("12",), (1, "2"), ()]
    assert len({mix(*parts) for parts in tuples}) == len(tuples)


def test_seeds_fill_64_bits_and_every_one_can_seed_a_generator() -> None:
    seeds = [mix(k) for k in range(200)]
    assert 2**63 < max(seeds) < 2**64
    assert all(torch.Generator().manual_seed(seed) for seed in seeds)


def test_generators_of_the_same_parts_draw_the_same() -> None:
    draws = [torch.rand(4, generator=generator(5, name)) for name in ("a", "a", "b")]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_a_gpu_is_seeded_with_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed", seeds.append)
    draws = []
    for device in ("cpu", "cuda"):
        reseed(5, torch.device(device))
        draws.append(torch.rand(3))
    assert torch.equal(*draws)
    assert seeds == [5]


def test_seeded_draws_are_a_function_of_the_parts_alone() -> None:
    draws = []
    for parts in [(0, "a"), (0, "a"), (1, "a"), (0, "b")]:
        torch.rand(1)
        with seeded(*parts):
            draws.append(torch.rand(4))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])


def test_seeded_restores_the_random_state_even_after_an_error() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with pytest.raises(RuntimeError, match="size"), seeded(0):
        torch.rand(5).view(3)
    assert torch.equal(torch.rand(3), expected)


def test_reseeding_gives_the_draws_of_a_manual_seed() -> None:
    for seed in (0, mix("large")):
        torch.manual_seed(seed)
        expected = torch.rand(4)
        reseed(seed, torch.device("cpu"))
        assert torch.equal(torch.rand(4), expected)


def test_reseeding_leaves_no_request_to_devices_that_are_not_used() -> None:
    waiting = len(torch.cuda._queued_calls)
    reseed(3, torch.device("cpu"))
    assert len(torch.cuda._queued_calls) == waiting
