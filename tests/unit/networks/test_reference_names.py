"""RepDistiller's names of weights, by hand: what its modules are called, and the shapes there."""

from __future__ import annotations

import pytest

from sakd.networks import NETWORKS
from sakd.networks.reference_names import reference_names

NAMES = {
    "resnet14": {
        "conv1.weight": ("stem.0.weight", (16, 3, 3, 3)),
        "bn1.running_mean": ("stem.1.running_mean", (16,)),
        "layer1.0.conv1.weight": ("stage1.0.conv1.weight", (16, 16, 3, 3)),
        "layer3.0.downsample.1.bias": ("stage3.0.downsample.1.bias", (64,)),
        "fc.bias": ("head.bias", (7,)),
    },
    "MobileNetV2_x0_5": {
        "conv1.0.weight": ("stem.0.weight", (16, 3, 3, 3)),
        "blocks.0.0.conv.0.weight": ("stage1.0.expand.0.weight", (16, 16, 1, 1)),
        "blocks.1.1.conv.7.bias": ("stage1.2.project.1.bias", (12,)),
        "blocks.4.2.conv.3.weight": ("stage3.6.filter.0.weight", (288, 1, 3, 3)),
        "blocks.6.0.conv.6.weight": ("stage4.3.project.0.weight", (160, 480, 1, 1)),
        "conv2.1.running_var": ("embedding.0.1.running_var", (1280,)),
        "classifier.0.weight": ("head.weight", (7, 1280)),
    },
    "ShuffleNetV1": {
        "conv1.weight": ("stem.0.weight", (24, 3, 1, 1)),
        "layer1.0.conv1.weight": ("stage1.0.branch.0.0.weight", (54, 24, 1, 1)),
        "layer1.0.bn3.weight": ("stage1.0.branch.3.1.weight", (216,)),
        "layer2.7.conv2.weight": ("stage2.7.branch.2.0.weight", (120, 1, 3, 3)),
        "layer3.3.conv3.weight": ("stage3.3.branch.3.0.weight", (960, 80, 1, 1)),
        "linear.weight": ("head.weight", (7, 960)),
    },
    "ShuffleNetV2": {
        "bn1.bias": ("stem.1.bias", (24,)),
        "layer1.0.conv1.weight": ("stage1.0.shortcut.0.0.weight", (24, 1, 3, 3)),
        "layer1.0.bn2.weight": ("stage1.0.shortcut.1.1.weight", (58,)),
        "layer2.0.conv3.weight": ("stage2.0.branch.0.0.weight", (116, 116, 1, 1)),
        "layer2.0.bn4.bias": ("stage2.0.branch.1.1.bias", (116,)),
        "layer3.0.conv5.weight": ("stage3.0.branch.2.0.weight", (232, 232, 1, 1)),
        "layer3.3.conv2.weight": ("stage3.3.branch.1.0.weight", (232, 1, 3, 3)),
        "conv2.weight": ("embedding.0.0.weight", (1024, 464, 1, 1)),
        "linear.bias": ("head.bias", (7,)),
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_repdistillers_names_lead_to_tensors_of_their_shapes(name: str) -> None:
    network = NETWORKS[name](num_classes=7)
    state = network.state_dict()
    found = [
        {theirs: rename(theirs) for theirs in NAMES[name]}
        for rename in reference_names(network.family)
    ]
    assert {theirs: ours for theirs, (ours, _) in NAMES[name].items()} in found
    assert all(state[ours].shape == shape for ours, shape in NAMES[name].values())
