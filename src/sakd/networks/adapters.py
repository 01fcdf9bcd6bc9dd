"""Adapters: small trainable maps from one network's feature shape to another's."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from sakd.errors import UserError


def adapter(source: tuple[int, ...], target: tuple[int, ...]) -> nn.Module:
    """A module from features of shape ``source`` to ``target`` (batch axis left out).

    Maps (C, H, W) get a convolution, batch norm and rectifier; vectors (C,) a linear layer.

    Raises:
        UserError: one shape is a map and the other is a vector.
    """
    match source, target:
        case (inputs,), (outputs,):
            return nn.Linear(inputs, outputs)
        case (_, _, _), (_, _, _):
            return convolutional_regressor(source, target)
    raise UserError(f"no adapter from features {source} to {target}: both must be maps or vectors")


def convolutional_regressor(source: tuple[int, ...], target: tuple[int, ...]) -> nn.Module:
    """Convolution, batch norm, rectifier from maps (C, H, W) of one size to another.

    Romero et al., ICLR 2015, arXiv:1412.6550, section 2.2, with the geometry of the SAKD
    reference: stride 2 where the height halves or doubles, otherwise the kernel that fits.
    """
    (inputs, height, _), (outputs, wanted, _) = source, target
    conv: nn.Module
    if height == 2 * wanted:
        conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
    elif 2 * height == wanted:
        conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    elif height >= wanted:
        conv = nn.Conv2d(inputs, outputs, 1 + height - wanted)
    else:
        stride = wanted // height
        conv = nn.ConvTranspose2d(inputs, outputs, wanted - stride * (height - 1), stride=stride)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs), relu=nn.ReLU()))
