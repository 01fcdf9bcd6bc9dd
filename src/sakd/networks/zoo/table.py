"""The zoo, by name: ``NETWORKS[name](num_classes=..., in_channels=...)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import base_of, parse_arguments
from sakd.foundation.tables import Table
from sakd.networks.branches import with_branches
from sakd.networks.staged import StagedNetwork
from sakd.networks.zoo.imagenet_resnet import imagenet_resnet
from sakd.networks.zoo.mobilenet import mobilenet_v2
from sakd.networks.zoo.resnet import resnet
from sakd.networks.zoo.shufflenet import shufflenet_v1, shufflenet_v2
from sakd.networks.zoo.vgg import vgg, vgg_imagenet
from sakd.networks.zoo.wide_resnet import wide_resnet


class NetworkBuilder(Protocol):
    """Builds a staged network for a number of classes and of image channels."""

    def __call__(self, num_classes: int, in_channels: int = 3) -> StagedNetwork:
        """Build the network with fresh weights from torch's current random state."""


NARROW = (16, 16, 32, 64)
WIDE = (32, 64, 128, 256)
VGG8, VGG11, VGG13 = (1, 1, 1, 1, 1), (1, 1, 2, 2, 2), (2, 2, 2, 2, 2)
VGG16, VGG19 = (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)

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
        "ResNet18": partial(imagenet_resnet, blocks=(2, 2, 2, 2)),
        "ResNet34": partial(imagenet_resnet, blocks=(3, 4, 6, 3)),
        "ResNet50": partial(imagenet_resnet, blocks=(3, 4, 6, 3), bottleneck=True),
        "ResNet101": partial(imagenet_resnet, blocks=(3, 4, 23, 3), bottleneck=True),
        "ResNet152": partial(imagenet_resnet, blocks=(3, 8, 36, 3), bottleneck=True),
        "wrn_16_1": partial(wide_resnet, depth=16, widen=1),
        "wrn_16_2": partial(wide_resnet, depth=16, widen=2),
        "wrn_40_1": partial(wide_resnet, depth=40, widen=1),
        "wrn_40_2": partial(wide_resnet, depth=40, widen=2),
        "wrn_28_10": partial(wide_resnet, depth=28, widen=10),
        "vgg8": partial(vgg, convolutions=VGG8),
        "vgg11": partial(vgg, convolutions=VGG11),
        "vgg13": partial(vgg, convolutions=VGG13),
        "vgg16": partial(vgg, convolutions=VGG16),
        "vgg19": partial(vgg, convolutions=VGG19),
        "vgg8-imagenet": partial(vgg_imagenet, convolutions=VGG8),
        "vgg11-imagenet": partial(vgg_imagenet, convolutions=VGG11),
        "vgg13-imagenet": partial(vgg_imagenet, convolutions=VGG13),
        "vgg16-imagenet": partial(vgg_imagenet, convolutions=VGG16),
        "vgg19-imagenet": partial(vgg_imagenet, convolutions=VGG19),
        "MobileNetV2": mobilenet_v2,
        "MobileNetV2_x0_5": partial(mobilenet_v2, width=0.5),
        "ShuffleNetV1": shufflenet_v1,
        "ShuffleNetV2": shufflenet_v2,
    },
)

KEEP, BRANCHES = "keep", "branches"
"""The arguments of a network of the zoo: the share of its inner channels that it has, and how often
its last stages are there."""

FEWEST, MOST = 2, 100
"""A network of more branches is taken for a slip."""

EXAMPLES = "vgg8(keep=0.5)", "resnet8(branches=2)"


def zoo_builder(name: str) -> NetworkBuilder:
    """Find the builder of a network of the zoo, which may be narrower, or have branches.

    It is narrower as ``vgg8(keep=0.5)``: of residual networks the channels between the convolutions
    of a block are fewer, of VGG networks those of all convolutions. As ``resnet8(branches=2)`` it
    is a `WithBranches`.

    Raises:
        UserError: There is no such network, or no such form of it.
    """
    base = base_of(name)
    builder = NETWORKS[base]
    if base == name:
        return builder
    given = parse_arguments(name, name[len(base) :].strip()[1:-1], EXAMPLES[0])
    if not given or not set(given) <= {KEEP, BRANCHES}:
        known = f"there are {KEEP!r} and {BRANCHES!r}, as in {' and '.join(EXAMPLES)}"
        raise UserError(f"{name!r}: a network of the zoo has no such arguments; {known}")
    if KEEP in given:
        builder = _narrower(name, builder, given[KEEP])
    return _branched(name, builder, given[BRANCHES]) if BRANCHES in given else builder


def _narrower(name: str, builder: NetworkBuilder, keep: object) -> NetworkBuilder:
    if KEEP not in inspect.signature(builder).parameters:
        able = ", ".join(n for n, b in NETWORKS.items() if KEEP in inspect.signature(b).parameters)
        raise UserError(f"{name!r}: {base_of(name)} cannot be narrower; these can: {able}")
    fine = isinstance(keep, int | float) and 0 < keep < 1
    require(fine, f"{name!r}: keep must be above 0 and below 1, got {keep!r}")
    return partial(cast("Callable[..., StagedNetwork]", builder), keep=keep)


def _branched(name: str, builder: NetworkBuilder, branches: object) -> NetworkBuilder:
    fine = isinstance(branches, int) and branches in range(FEWEST, MOST + 1)
    allowed = f"a whole number from {FEWEST} to {MOST}"
    require(fine, f"{name!r}: branches must be {allowed}, got {branches!r}")
    return partial(with_branches, builder, branches=cast("int", branches))
