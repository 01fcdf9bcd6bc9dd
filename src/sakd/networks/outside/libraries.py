"""Where models come from that the zoo does not have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, TypeVar
from weakref import WeakSet

import torch
from torch import nn

from sakd.foundation.errors import UserError, require
from sakd.foundation.imports import named
from sakd.foundation.names import unknown
from sakd.foundation.tables import Table
from sakd.networks.outside.names import OutsideName
from sakd.networks.staging.surgery import use_small_stem

Model = TypeVar("Model", bound=nn.Module)
Arguments = Mapping[str, Any]
Source = Callable[[str, Arguments, int, int], nn.Module]
"""Makes the model of that name with those arguments for so many classes and image channels."""


_MADE: WeakSet[nn.Module] = WeakSet()
"""The models that were given out and are still in use."""


def outside_model(name: OutsideName, num_classes: int, channels: int) -> nn.Module:
    """The model that ``name`` means, with fresh weights from torch's current random state.

    It is asked for the number of classes and channels where whatever makes it can be asked.

    Raises:
        UserError: there is none, or it cannot be made with these arguments.
    """
    if fixed := {"num_classes", "in_channels", "in_chans"} & set(name.arguments):
        raise UserError(f"leave out {', '.join(sorted(fixed))}: that follows from the data")
    source = SOURCES.get(name.source) or partial(_function, name.source)
    try:
        model: object = source(name.item, name.arguments, num_classes, channels)
    except UserError:
        raise
    except Exception as error:  # whatever the code of others raises
        reason = str(error).partition("\n")[0]
        raise UserError(f"it cannot be made: {type(error).__name__}: {reason}") from error
    if not isinstance(model, nn.Module):
        raise UserError(f"it is of type {type(model).__name__}, which is no torch.nn.Module")
    require(model not in _MADE, "it is the same model again: let its function make it anew")
    _MADE.add(model)
    return model


def check_outside(name: OutsideName) -> None:
    """Make the model once, where that goes without memory for its weights.

    Raises:
        UserError: it cannot be made.
    """
    without_memory(lambda: outside_model(name, 2, 3))


def without_memory(make: Callable[[], Model]) -> Model:
    """What ``make`` makes, on torch's device ``meta`` where that goes."""
    try:
        with torch.device("meta"):
            return make()
    except UserError:  # it may need numbers while it is made
        return make()


def _torchvision(item: str, arguments: Arguments, num_classes: int, _channels: int) -> nn.Module:
    models = import_module("torchvision.models")
    known = models.list_models(module=models)
    require(item in known, unknown("model of torchvision", item, known))
    given = {"num_classes": num_classes, **arguments}
    small_images = given.pop("small_images", False)
    if "weights" not in given:
        given = {**_QUIET.get(item, {}), **given}
    model: nn.Module = models.get_model_builder(item)(**given)
    if small_images:
        use_small_stem(model)
    return model


_QUIET: Mapping[str, Arguments] = {
    # Without the heads that only help to train, and without a warning about their defaults.
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


def _timm(item: str, arguments: Arguments, num_classes: int, channels: int) -> nn.Module:
    try:
        timm = import_module("timm")
    except ModuleNotFoundError as error:
        raise UserError("timm is not installed here: pip install timm") from error
    family, known = item.partition(".")[0], timm.list_models()
    require(family in known, unknown("model of timm", family, known))
    model: nn.Module = timm.create_model(
        item, num_classes=num_classes, in_chans=channels, **arguments
    )
    return model


SOURCES: Table[Source] = Table("source", {"torchvision": _torchvision, "timm": _timm})


def _function(
    source: str, item: str, arguments: Arguments, num_classes: int, channels: int
) -> nn.Module:
    """What a function of the user's own makes."""
    function = named(source, item)
    asked = {"num_classes": num_classes, "in_channels": channels}
    takes = inspect.signature(function).parameters
    model: nn.Module = function(**{k: asked[k] for k in asked if k in takes}, **arguments)
    return model
