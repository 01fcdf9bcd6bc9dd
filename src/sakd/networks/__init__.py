"""Networks as chains of stages, which can be cut between any two.

`NETWORKS` is the zoo; `build_network` builds from any name, such as ``torchvision:resnet18``.
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
