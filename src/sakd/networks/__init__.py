"""The networks, by name: ``NETWORKS[name](num_classes=..., in_channels=...)``.

Names beyond this table, such as ``torchvision:resnet18``, are understood by `build_network`.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sakd.errors import UserError, require
from sakd.networks.imagenet_resnet import imagenet_resnet
from sakd.networks.mobilenet import mobilenet_v2
from sakd.networks.names import FORMS, is_outside, parse_name
from sakd.networks.rebuilding import Rebuilding
from sakd.networks.resnet import resnet
from sakd.networks.reused import REUSED
from sakd.networks.shufflenet import shufflenet_v1, shufflenet_v2
from sakd.networks.sources import check_outside, outside_model
from sakd.networks.staged import StagedNetwork, Trace, check_fit, feature_shapes, probe
from sakd.networks.staging import TracedNetwork, stage
from sakd.networks.vgg import vgg, vgg_imagenet
from sakd.networks.wide_resnet import wide_resnet
from sakd.tables import Table, UnknownNameError


class NetworkBuilder(Protocol):
    """Anything that builds a staged network for a number of classes and input channels."""

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

REBUILDINGS: tuple[Rebuilding, ...] = (REUSED,)
"""What distillers can make of a student and its teacher; each has a sign of its own."""


def build_network(
    name: str, *, num_classes: int, image_shape: tuple[int, int, int]
) -> StagedNetwork:
    """The network called ``name`` for images (C, H, W), of the zoo or from outside.

    Weights are fresh, from torch's current random state. `sakd.networks.names` says how networks
    are called, and `sakd.networks.rebuilding` what those are called that are made of two.

    Raises:
        UserError: there is no such network, or it does not fit the data.
    """
    for rebuilding in REBUILDINGS:
        if (parts := rebuilding.parts(name)) is not None:
            student, teacher = (
                build_network(part, num_classes=num_classes, image_shape=image_shape)
                for part in parts
            )
            return rebuilding.make(student, teacher, image_shape)
    if not is_outside(name):
        return _builder(name)(num_classes=num_classes, in_channels=image_shape[0])
    parsed = parse_name(name)
    try:
        model = outside_model(parsed, num_classes, image_shape[0])
        if isinstance(model, StagedNetwork):
            check_fit(model, image_shape, num_classes)
            return model
        return stage(model, image_shape, stages=parsed.stages, num_classes=num_classes)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def check_network(name: str) -> None:
    """See, before there is any data, that ``name`` is a network to be trained or taught by.

    Raises:
        UserError: it is not, or it does not take the arguments given.
    """
    for rebuilding in REBUILDINGS:
        require(
            rebuilding.parts(name) is None,
            f"{name!r} is what distillation makes of two networks: name one of them, "
            f"{' or '.join(rebuilding.parts(name) or ())}",
        )
    if not is_outside(name):
        _builder(name)
        return
    parsed = parse_name(name)
    try:
        check_outside(parsed)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def _builder(name: str) -> NetworkBuilder:
    try:
        return NETWORKS[name]
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; or {FORMS}") from error


__all__ = [
    "NETWORKS",
    "NetworkBuilder",
    "StagedNetwork",
    "Trace",
    "TracedNetwork",
    "build_network",
    "check_fit",
    "check_network",
    "feature_shapes",
    "probe",
    "stage",
]
