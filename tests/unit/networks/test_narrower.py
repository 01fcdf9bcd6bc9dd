"""Networks of the zoo with fewer channels inside, by their names."""

from __future__ import annotations

import pytest
from torch import nn

from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, build_network
from sakd.networks.code import network_code
from sakd.networks.variants import slug


def built(name: str) -> StagedNetwork:
    return build_network(name, num_classes=5, image_shape=(3, 8, 8))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("vgg8(keep=0)", "above 0 and below 1, got 0"),
        ("vgg8(keep=1)", "above 0 and below 1, got 1"),
        ("vgg8(keep='a')", "above 0 and below 1, got 'a'"),
        ("vgg8(width=0.5)", "there are 'keep' and 'branches'"),
        ("vgg8(0.5)", "name=value"),
        ("vgg8()", "no such arguments"),
        ("MobileNetV2(keep=0.5)", "cannot be narrower; these can: resnet8, .*vgg19$"),
        ("vgg9(keep=0.5)", "unknown network 'vgg9'"),
    ],
)
def test_narrower_networks_of_the_zoo_have_a_share_of_channels(name: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        built(name)


def test_a_narrower_network_has_a_slug_and_the_code_of_its_family() -> None:
    assert slug("resnet20/vgg8(keep=0.5)") == "resnet20_to_vgg8_keep_0_5"
    assert network_code("vgg8(keep=0.5)") == network_code("vgg8")


def test_the_widths_of_the_zoo_are_as_they_were_unless_fewer_are_asked_for() -> None:
    def widths(name: str) -> dict[str, int]:
        layers = built(name).named_modules()
        return {n: m.out_channels for n, m in layers if isinstance(m, nn.Conv2d)}

    whole, narrow = widths("resnet8"), widths("resnet8(keep=0.25)")
    assert [n for n, width in whole.items() if narrow[n] != width] == [
        f"stage{number}.0.conv1" for number in (1, 2, 3)
    ]
    assert narrow["stage3.0.conv1"] == 16
