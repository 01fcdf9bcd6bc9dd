"""Compare a network that was cut with its model."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError
from sakd.networks.staged import in_mode
from sakd.networks.staging.cuts import PROBE_BATCH
from sakd.networks.staging.tracing import WAY_OUT, first_output

NO_CHAIN = (
    "is not the chain of these stages, and cannot be traced either: write its forward as a chain "
    "of submodules, the head included"
)
NO_GRAPH = (
    "gives other logits than its traced graph: let it write nothing in place that has a second name"
)


def compare(
    network: nn.Module, model: nn.Module, image_shape: tuple[int, ...], *, chained: bool
) -> None:
    """Check that ``network`` computes what ``model`` does.

    A trace misses values that are overwritten through a second name, as in ``y = x; x += 1``.
    Models on the device ``meta`` have no values to compare.

    Args:
        network: The stages of the model, one after the other.
        model: Maps images (B, C, H, W) to logits (B, K).
        image_shape: Of the random images for both, (C, H, W).
        chained: Whether the model was not traced, but taken for a chain of its stages; then both
            are compared in training mode too.

    Raises:
        UserError: The logits differ, or one of the two fails.
    """
    if next(model.parameters()).is_meta:
        return
    for training in (False, True) if chained else (False,):
        # In training statistics move: those of copies.
        both = copy.deepcopy((model, network)) if training else (model, network)
        try:
            with in_mode(both[0], training=training), in_mode(both[1], training=training):
                theirs, ours = (_logits(one, image_shape) for one in both)
        except Exception as error:  # whatever the model's code raises
            reason = str(error).partition("\n")[0]
            complaint = f"{type(model).__name__} fails on random images, once in pieces: {reason}"
            raise UserError(complaint) from error
        if not _alike(ours, theirs):
            complaint = NO_CHAIN if chained else f"{NO_GRAPH}, or {WAY_OUT}"
            raise UserError(f"{type(model).__name__} {complaint}")


@torch.no_grad()
def _logits(model: nn.Module, image_shape: tuple[int, ...]) -> Tensor | None:
    """The logits (B, K) of the same random images and random numbers in every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = torch.randn((PROBE_BATCH, *image_shape), device="cpu")
        given: Tensor | None = first_output(model(images.to(next(model.parameters()))))
        return given


def _alike(ours: Tensor | None, theirs: Tensor | None) -> bool:
    """Whether logits differ at most by the order of summation."""
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return False
    return torch.allclose(ours, theirs, rtol=1e-3, atol=1e-5, equal_nan=True)
