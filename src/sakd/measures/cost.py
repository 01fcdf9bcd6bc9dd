"""Measures of a network that its weights do not change: size, arithmetic, memory, latency."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sakd.foundation.machine import settle
from sakd.foundation.tensors import file_bytes
from sakd.measures.memory import Alive

BATCHES = 1, 64
"""Images in a forward pass that is timed; memory is that of the largest."""

LEAST, MOST, PATIENCE = 5, 50, 0.25
"""A pass is repeated at least and at most so often; in between until so many seconds are over."""

Clock = Callable[[], float]


@torch.no_grad()
def cost(
    network: nn.Module,
    image_shape: tuple[int, int, int],
    device: torch.device,
    clock: Clock = perf_counter,
) -> dict[str, float]:
    """Measure what ``network`` costs where it is used, in evaluation mode.

    Args:
        network: The network, on ``device``.
        image_shape: (C, H, W) of an image.
        device: The device to measure on.
        clock: Tells seconds.

    Returns:
        ``parameters``; ``macs``, the multiplications with an addition of convolutions and matrix
        products for one image; ``file_bytes``, the size of its weights in a safetensors file;
        ``peak_bytes``, the most memory that weights, images and maps take at one time in a batch
        of 64; and for batches of 1 and of 64 ``latency_b1_p50_ms`` and so on, the median and the
        95th percentile of the milliseconds of a forward pass on this device.
    """
    network.eval()
    images = torch.zeros(max(BATCHES), *image_shape, device=device)
    held = [images, *chain(network.parameters(), network.buffers())]
    with FlopCounterMode(display=False) as counter, Alive(held) as alive:
        network(images)
    state = {name: t.detach().cpu().clone() for name, t in network.state_dict().items()}
    found = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "macs": counter.get_total_flops() // 2 // len(images),
        "file_bytes": file_bytes(state),
        "peak_bytes": alive.peak,
    }
    return found | {
        f"latency_b{size}_{name}_ms": value
        for size in BATCHES
        for name, value in latency(network, images[:size], clock).items()
    }


def latency(network: nn.Module, images: Tensor, clock: Clock) -> dict[str, float]:
    """Time forward passes on ``images`` (B, C, H, W), after one that is not counted.

    Returns:
        ``p50`` and ``p95``, percentiles in milliseconds.
    """
    times: list[float] = []
    while len(times) <= LEAST or (len(times) <= MOST and sum(times[1:]) < PATIENCE):
        settle(images.device)
        started = clock()
        network(images)
        settle(images.device)
        times.append(clock() - started)
    return {f"p{q}": 1000 * float(np.percentile(times[1:], q)) for q in (50, 95)}
