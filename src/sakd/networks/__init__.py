"""The networks, by name: ``NETWORKS[name](num_classes=..., in_channels=...)``.

Names beyond this table, such as ``torchvision:resnet18``, are understood by `build_network`.
"""

from sakd.networks.build import build_network, check_network
from sakd.networks.chain import Chain
from sakd.networks.staged import Features, StagedNetwork, check_fit, feature_shapes, probe
from sakd.networks.staging import TracedNetwork, stage
from sakd.networks.zoo.table import NETWORKS, NetworkBuilder

__all__ = [
    "NETWORKS",
    "Chain",
    "Features",
    "NetworkBuilder",
    "StagedNetwork",
    "TracedNetwork",
    "build_network",
    "check_fit",
    "check_network",
    "feature_shapes",
    "probe",
    "stage",
]
