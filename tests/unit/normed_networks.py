"""Networks whose batch norms do something, as after a training."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from sakd.networks import StagedNetwork, build_network

IMAGE = (3, 8, 8)


def built(name: str, *, seed: int = 0) -> StagedNetwork:
    """Build a network of 5 classes for images of `IMAGE`, in evaluation mode."""
    torch.manual_seed(seed)
    network = build_network(name, num_classes=5, image_shape=IMAGE)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            cast("Tensor", module.running_mean).normal_()
            cast("Tensor", module.running_var).uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return network.eval()
