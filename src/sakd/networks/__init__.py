"""The networks, by name: ``NETWORKS[name](num_classes=..., in_channels=...)``."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sakd.networks.resnet import resnet
from sakd.networks.staged import StagedNetwork, Trace, feature_shapes
from sakd.networks.wide_resnet import wide_resnet
from sakd.tables import Table


class NetworkBuilder(Protocol):
    """Anything that builds a staged network for a number of classes and input channels."""

    def __call__(self, num_classes: int, in_channels: int = 3) -> StagedNetwork:
        """Build the network with fresh weights from torch's current random state."""


NARROW = (16, 16, 32, 64)
WIDE = (32, 64, 128, 256)

NETWORKS: Table[NetworkBuilder] = Table(
    "network",
    {
        "resnet8": partial(resnet, depth=8, widths=NARROW),
        "resnet14": partial(resnet, depth=14, widths=NARROW),
        "resnet20": partial(resnet, depth=20, widths=NARROW),
        "resnet32": partial(resnet, depth=32, widths=NARROW),
        "resnet44": partial(resnet, depth=44, widths=NARROW),
        "resnet56": partial(resnet, depth=56, widths=NARROW),
        "resnet110": partial(resnet, depth=110, widths=NARROW),
        "resnet8x4": partial(resnet, depth=8, widths=WIDE),
        "resnet32x4": partial(resnet, depth=32, widths=WIDE),
        "wrn_16_1": partial(wide_resnet, depth=16, widen=1),
        "wrn_16_2": partial(wide_resnet, depth=16, widen=2),
        "wrn_40_1": partial(wide_resnet, depth=40, widen=1),
        "wrn_40_2": partial(wide_resnet, depth=40, widen=2),
        "wrn_28_10": partial(wide_resnet, depth=28, widen=10),
    },
)

__all__ = ["NETWORKS", "NetworkBuilder", "StagedNetwork", "Trace", "feature_shapes"]
