"""New first and last layers, so that a model fits the data."""

from __future__ import annotations

import logging
from functools import cache

from torch import fx, nn

from sakd.foundation.errors import UserError
from sakd.networks.staging.cuts import weighted_nodes

logger = logging.getLogger(__name__)


def fit_channels(model: nn.Module, graph: fx.Graph, channels: int) -> None:
    """Replace the first convolution of ``model`` if it takes another number of channels.

    The new weights are normal with the standard deviation of the old ones. A model whose images
    do not go straight into a convolution stays as it is; a later check finds whether it fits.

    Raises:
        UserError: The first convolution is grouped.
    """
    images = next(iter(graph.nodes))
    for path in (str(user.target) for user in images.users if user.op == "call_module"):
        old = model.get_submodule(path)
        if not isinstance(old, nn.Conv2d) or old.in_channels == channels:
            continue
        if old.groups > 1:
            raise UserError(
                f"{type(model).__name__} takes images of {old.in_channels} channels, not "
                f"{channels}, and its first convolution is grouped: give a model made for them"
            )
        new = _like(old, in_channels=channels)
        if not old.weight.is_meta:
            nn.init.normal_(new.weight, std=float(old.weight.detach().std()))
        model.set_submodule(path, new)
        _log(f"{type(model).__name__}: {path} is new, for {channels} channels")


def fit_classes(model: nn.Module, graph: fx.Graph, classes: int) -> None:
    """Replace the last layer of ``model`` by one for that many classes.

    Raises:
        UserError: The last layer is neither linear nor a convolution.
    """
    last = list(weighted_nodes(model, graph))[-1]
    layer = model.get_submodule(str(last.target)) if last.op == "call_module" else None
    if isinstance(layer, nn.Linear):
        new: nn.Module = nn.Linear(
            layer.in_features,
            classes,
            bias=layer.bias is not None,
            device=layer.weight.device,
            dtype=layer.weight.dtype,
        )
    elif isinstance(layer, nn.Conv2d):
        new = _like(layer, out_channels=classes)
    else:
        raise UserError(
            f"{type(model).__name__} does not have {classes} logits, and its last layer "
            f"({last.target}) is not a linear layer to replace: let it take num_classes"
        )
    model.set_submodule(str(last.target), new)
    _log(f"{type(model).__name__}: {last.target} is new, for {classes} classes")


@cache
def _log(message: str) -> None:
    """Log each message once: the same network is built for every cell."""
    logger.info(message)


def use_small_stem(model: nn.Module) -> None:
    """Give a residual network of torchvision the stem for images of CIFAR's size.

    It is a 3x3 convolution of stride 1 without pooling, as in He et al., arXiv:1512.03385,
    section 4.2, instead of a 7x7 convolution of stride 2 and 3x3 pooling of stride 2.

    Raises:
        UserError: ``model`` is not a residual network of torchvision's kind.
    """
    conv, pool = (getattr(model, name, None) for name in ("conv1", "maxpool"))
    if not isinstance(conv, nn.Conv2d) or not isinstance(pool, nn.MaxPool2d):
        raise UserError(
            f"small_images is for torchvision's resnets, not for {type(model).__name__}"
        )
    stem = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    model.conv1, model.maxpool = stem, nn.Identity()


def _like(
    conv: nn.Conv2d, *, in_channels: int | None = None, out_channels: int | None = None
) -> nn.Conv2d:
    """Make a convolution of the same geometry, with fresh weights."""
    return nn.Conv2d(
        in_channels or conv.in_channels,
        out_channels or conv.out_channels,
        (conv.kernel_size[0], conv.kernel_size[1]),
        (conv.stride[0], conv.stride[1]),
        conv.padding if isinstance(conv.padding, str) else (conv.padding[0], conv.padding[1]),
        (conv.dilation[0], conv.dilation[1]),
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
        device=conv.weight.device,
        dtype=conv.weight.dtype,
    )
