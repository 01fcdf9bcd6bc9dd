"""Weights of RepDistiller are read by its own names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from sakd.data import DataCard
from sakd.networks import NETWORKS
from sakd.study.importing import import_weights
from sakd.study.networks import fresh_network

CLASSES = 7


# The names of weights in RepDistiller, from ours.
REFERENCE = {
    "resnet14": [
        (r"^stem\.0\.", "conv1."),
        (r"^stem\.1\.", "bn1."),
        (r"^stage", "layer"),
        (r"^head", "fc"),
    ],
    "ResNet18": [
        (r"^stem\.0\.", "conv1."),
        (r"^stem\.1\.", "bn1."),
        (r"^stage", "layer"),
        (r"downsample", "shortcut"),
        (r"^head", "linear"),
    ],
    "wrn_16_2": [
        (r"^stem\.", "conv1."),
        (r"^stage(\d)\.", r"block\1.layer."),
        (r"shortcut", "convShortcut"),
        (r"^embedding\.0", "bn1"),
        (r"^head", "fc"),
    ],
    "vgg13": [
        (r"^stem\.", "block0."),
        *((rf"^stage(\d)\.{k}\.", rf"block\1.{k - 1}.") for k in range(1, 6)),
        (r"^head", "classifier"),
    ],
    "MobileNetV2_x0_5": [
        (r"^stem\.", "conv1."),
        (r"^stage1\.0\.", "blocks.0.0."),
        (r"^stage1\.1\.", "blocks.1.0."),
        (r"^stage1\.2\.", "blocks.1.1."),
        (r"^stage2\.", "blocks.2."),
        (r"^stage3\.([0-3])\.", r"blocks.3.\1."),
        (r"^stage3\.4\.", "blocks.4.0."),
        (r"^stage3\.5\.", "blocks.4.1."),
        (r"^stage3\.6\.", "blocks.4.2."),
        (r"^stage4\.([0-2])\.", r"blocks.5.\1."),
        (r"^stage4\.3\.", "blocks.6.0."),
        (r"expand\.(\d)", r"conv.\1"),
        (r"filter\.0", "conv.3"),
        (r"filter\.1", "conv.4"),
        (r"project\.0", "conv.6"),
        (r"project\.1", "conv.7"),
        (r"^embedding\.0", "conv2"),
        (r"^head", "classifier.0"),
    ],
    "ShuffleNetV1": [
        (r"^stem\.0", "conv1"),
        (r"^stem\.1", "bn1"),
        (r"^stage", "layer"),
        (r"branch\.0\.0", "conv1"),
        (r"branch\.0\.1", "bn1"),
        (r"branch\.2\.0", "conv2"),
        (r"branch\.2\.1", "bn2"),
        (r"branch\.3\.0", "conv3"),
        (r"branch\.3\.1", "bn3"),
        (r"^head", "linear"),
    ],
    "ShuffleNetV2": [
        (r"^stem\.0", "conv1"),
        (r"^stem\.1", "bn1"),
        (r"^stage", "layer"),
        (r"shortcut\.0\.0", "conv1"),
        (r"shortcut\.0\.1", "bn1"),
        (r"shortcut\.1\.0", "conv2"),
        (r"shortcut\.1\.1", "bn2"),
        (r"(layer\d\.0)\.branch\.0\.0", r"\1.conv3"),
        (r"(layer\d\.0)\.branch\.0\.1", r"\1.bn3"),
        (r"(layer\d\.0)\.branch\.1\.0", r"\1.conv4"),
        (r"(layer\d\.0)\.branch\.1\.1", r"\1.bn4"),
        (r"(layer\d\.0)\.branch\.2\.0", r"\1.conv5"),
        (r"(layer\d\.0)\.branch\.2\.1", r"\1.bn5"),
        (r"branch\.0\.0", "conv1"),
        (r"branch\.0\.1", "bn1"),
        (r"branch\.1\.0", "conv2"),
        (r"branch\.1\.1", "bn2"),
        (r"branch\.2\.0", "conv3"),
        (r"branch\.2\.1", "bn3"),
        (r"^embedding\.0\.0", "conv2"),
        (r"^embedding\.0\.1", "bn2"),
        (r"^head", "linear"),
    ],
}


def reference_state(name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Give our state and the same under the names of RepDistiller."""
    ours = NETWORKS[name](num_classes=CLASSES).state_dict()
    theirs = {}
    for key, value in ours.items():
        renamed = key
        for pattern, replacement in REFERENCE[name]:
            renamed = re.sub(pattern, replacement, renamed)
        theirs[renamed] = value
    return ours, theirs


@pytest.mark.parametrize("name", REFERENCE)
def test_names_of_repdistiller_are_understood(name: str, tmp_path: Path, card: DataCard) -> None:
    ours, theirs = reference_state(name)
    assert not set(ours) & set(theirs)
    torch.save({"epoch": 240, "model": theirs}, tmp_path / "last.pth")
    weights = import_weights(name, card, tmp_path / "last.pth")
    assert list(weights.state) == list(ours)
    assert all(torch.equal(weights.state[key], value) for key, value in ours.items())
    assert weights.card["imported_from"] == "last.pth"


def test_renamed_names_may_be_those_of_repdistiller(tmp_path: Path, card: DataCard) -> None:
    ours, theirs = reference_state("resnet14")
    state = {f"backbone.{key}": value for key, value in theirs.items()}
    torch.save(state, tmp_path / "a.pth")
    weights = import_weights("resnet14", card, tmp_path / "a.pth", renames={"backbone.": ""})
    assert all(torch.equal(weights.state[key], value) for key, value in ours.items())


def test_names_that_repdistiller_would_call_alike_are_the_networks_own(
    tmp_path: Path, card: DataCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "from torch import nn\n"
        "class ResNet(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc, self.linear = nn.Conv2d(3, 4, 1), nn.Linear(4, 7)\n"
        "    def forward(self, x):\n"
        "        return self.linear(self.fc(x).mean((2, 3)))\n"
    )
    (tmp_path / "alike_nets.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    state = fresh_network("alike_nets:ResNet", card).state_dict()
    torch.save(state, tmp_path / "a.pth")
    found = import_weights("alike_nets:ResNet", card, tmp_path / "a.pth").state
    assert all(torch.equal(found[key], value) for key, value in state.items())
