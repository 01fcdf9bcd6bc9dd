"""Models of timm, where it is installed: cut, and distilled in both roles."""

from __future__ import annotations

import pytest
import torch

from sakd.data import Batch
from sakd.networks import NETWORKS, build_network, check_network
from sakd.networks.code import network_code
from sakd.objectives import DataFacts, distil
from sakd.training import Run

timm = pytest.importorskip("timm")

IMAGE = (3, 64, 64)
NAMES = {
    "resnet18.a1_in1k": [512],
    "mobilenetv3_small_050": [1024],
    "convnext_atto": [320],
    "pvt_v2_b0": [256],
    "vit_tiny_patch16_224(img_size=64; depth=4)": [192],
    "swin_tiny_patch4_window7_224(img_size=64; depths=[1; 1; 2; 1])": [768],
    "levit_128s(img_size=64)": [384],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_timm_is_cut_and_distilled_in_both_roles(name: str) -> None:
    check_network(f"timm:{name}")
    network = build_network(f"timm:{name}", num_classes=5, image_shape=IMAGE).eval()
    images = torch.randn(4, *IMAGE)
    with torch.no_grad():
        whole = network(images)
        for k in range(network.depth + 2):
            assert torch.equal(network.run(network.run(images, 0, k), k), whole)
        assert list(network.extract(images).features[-1].shape[1:]) == NAMES[name]
    for student in (True, False):
        other = NETWORKS["resnet8"](num_classes=5)
        pair = (network, other) if student else (other, network)
        objective = distil(*pair, "fitnet-rkd", "adaptive", DataFacts(IMAGE, torch.arange(20) % 5))
        run = Run(objective.train(), epochs=1)
        labels = torch.arange(4)
        result = objective(Batch(images, labels, labels, 0))
        run.update(result.losses)
        assert all(loss.isfinite() for loss in result.losses.values())


def test_the_version_of_timm_stands_for_its_code() -> None:
    assert network_code("timm:resnet18") == {"timm": timm.__version__}
