"""The smallest network of every classification family of torchvision obeys the laws of stages."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import get_model

from sakd.networks import TracedNetwork, build_network, feature_shapes

MAXVIT = (
    "torchvision.models.maxvit:MaxVit(input_size=(32, 32); stem_channels=8; partition_size=2; "
    "block_channels=[8, 16]; block_layers=[1, 2]; head_dim=4; stochastic_depth_prob=0.2)"
)
# Name, size of the images, shapes of the features: stem, stages, embedding.
FAMILIES = {
    "torchvision:alexnet": (64, "64x15x15 192x7x7 256x3x3 4096"),
    "torchvision:convnext_tiny": (64, "96x16x16 96x16x16 192x8x8 384x4x4 768x2x2 768"),
    "torchvision:densenet121": (64, "64x32x32 256x16x16 512x8x8 1024x4x4 1024x2x2 1024"),
    "torchvision:efficientnet_b0": (
        64,
        "32x32x32 16x32x32 24x16x16 40x8x8 112x4x4 1280x2x2 1280",
    ),
    "torchvision:efficientnet_v2_s": (
        64,
        "24x32x32 24x32x32 48x16x16 64x8x8 160x4x4 1280x2x2 1280",
    ),
    "torchvision:googlenet": (64, "64x32x32 192x16x16 480x8x8 832x4x4 1024x2x2 1024"),
    "torchvision:inception_v3": (
        80,
        "32x39x39 64x37x37 192x16x16 288x7x7 768x3x3 2048x1x1 2048",
    ),
    MAXVIT: (32, "8x16x16 8x16x16 8x8x8 16x4x4 16"),
    "torchvision:mnasnet0_5": (64, "16x32x32 8x32x32 16x16x16 24x8x8 48x4x4 1280x2x2 1280"),
    "torchvision:mobilenet_v2": (64, "32x32x32 16x32x32 24x16x16 32x8x8 96x4x4 1280x2x2 1280"),
    "torchvision:mobilenet_v3_small": (64, "16x32x32 16x16x16 24x8x8 48x4x4 576x2x2 1024"),
    "torchvision:regnet_x_400mf": (64, "32x32x32 32x16x16 64x8x8 160x4x4 400x2x2 400"),
    "torchvision:regnet_y_400mf": (64, "32x32x32 48x16x16 104x8x8 208x4x4 440x2x2 440"),
    "torchvision:resnet18": (64, "64x32x32 64x16x16 128x8x8 256x4x4 512x2x2 512"),
    "torchvision:shufflenet_v2_x0_5": (64, "24x32x32 48x8x8 96x4x4 1024x2x2 1024"),
    "torchvision:squeezenet1_1": (64, "64x31x31 128x15x15 256x7x7 512x3x3 3"),
    "torchvision:swin_t": (64, "96x16x16 96x16x16 192x8x8 384x4x4 768x2x2 768"),
    "torchvision:swin_v2_t": (64, "96x16x16 96x16x16 192x8x8 384x4x4 768x2x2 768"),
    "torchvision:vgg11": (64, "64x64x64 128x32x32 256x16x16 512x8x8 512x4x4 4096"),
    "torchvision:vit_b_32(image_size=64)": (64, "5x768 5x768 5x768 5x768 5x768 768"),
}

# By feature, r where a rectifier closes it, capped at 6 or not, or begins the next stage after a
# norm (DenseNet). Branches that are joined, linear bottlenecks and other activations have neither.
RECTIFIED = {
    "torchvision:alexnet": "rrrr",
    "torchvision:densenet121": "rrrrr.",
    "torchvision:googlenet": "rr....",
    "torchvision:inception_v3": "rrr....",
    "torchvision:mnasnet0_5": "r....r.",
    "torchvision:mobilenet_v2": "r....r.",
    "torchvision:regnet_x_400mf": "rrrrr.",
    "torchvision:regnet_y_400mf": "rrrrr.",
    "torchvision:resnet18": "rrrrr.",
    "torchvision:shufflenet_v2_x0_5": "r..r.",
    "torchvision:squeezenet1_1": "r....",
    "torchvision:vgg11": "rrrrrr",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_cut_into_its_stages(name: str) -> None:
    size, shapes = FAMILIES[name]
    network = build_network(name, num_classes=3, image_shape=(3, size, size)).eval()
    found = ["x".join(map(str, shape)) for shape in feature_shapes(network, (3, size, size))]
    assert found == shapes.split()
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        whole = network(x)
        features, logits = network.extract(x)
        for k, feature in enumerate(features):
            assert torch.equal(network.run(feature, k + 1), whole)
        closed, unrectified = network.extract_unrectified(x)
    assert torch.equal(logits, whole)
    # An attention that is watched computes the same by another path.
    torch.testing.assert_close(closed.features, features, rtol=1e-4, atol=1e-4)
    ends = [before is not after for before, after in zip(unrectified[0], closed[0], strict=True)]
    assert "".join(".r"[end] for end in ends) == RECTIFIED.get(name, "." * len(ends))


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "swin_t", "mnasnet0_5"])
def test_torchvisions_own_weights_load_and_give_its_logits(name: str) -> None:
    original = get_model(name, num_classes=3).eval()
    network = build_network(f"torchvision:{name}", num_classes=3, image_shape=(3, 64, 64))
    assert isinstance(network, TracedNetwork)
    network.load_state_dict(original.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(x), original(x))


def test_every_stage_says_where_it_ends() -> None:
    network = build_network("torchvision:resnet18", num_classes=3, image_shape=(3, 64, 64))
    assert isinstance(network, TracedNetwork)
    ends = " ".join(f"{stage}={end}" for stage, end in network.origins.items())
    assert ends == (
        "stem=relu stage1=layer1.1.relu#2 stage2=layer2.1.relu#2 stage3=layer3.1.relu#2 "
        "stage4=layer4.1.relu#2 embedding=flatten head=fc"
    )
