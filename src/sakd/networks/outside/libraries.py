"""Models that the zoo does not have: of torchvision, of timm, or from a function."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import torch
from torch import nn

from sakd.foundation.errors import UserError, require
from sakd.foundation.extras import from_extra
from sakd.foundation.imports import named
from sakd.foundation.names import unknown
from sakd.foundation.tables import Table
from sakd.networks.outside.names import OutsideName
from sakd.networks.staging.surgery import use_small_stem

Model = TypeVar("Model", bound=nn.Module)
Arguments = Mapping[str, Any]
Source = Callable[[str, Arguments, int, int], nn.Module]
"""Makes a model from its name, its arguments, and the numbers of classes and image channels."""


def outside_model(name: OutsideName, num_classes: int, channels: int) -> nn.Module:
    """Make the model that ``name`` means, with fresh weights from torch's current random state.

    A function is called, with the number of classes and channels where it takes them.

    Raises:
        UserError: There is no such model, or it cannot be made with these arguments.
    """
    if fixed := {"num_classes", "in_channels", "in_chans"} & set(name.arguments):
        raise UserError(f"leave out {', '.join(sorted(fixed))}: that follows from the data")
    source = SOURCES.get(name.source) or partial(_from_function, name.source)
    with _failures_reported():
        model: object = source(name.item, name.arguments, num_classes, channels)
    if not isinstance(model, nn.Module):
        raise UserError(f"it is of type {type(model).__name__}, not a torch.nn.Module")
    return model


def check_outside(name: OutsideName) -> None:
    """Check that there is such a model, and that it takes the arguments.

    A model of a library is made once, without memory for its weights where possible. A function
    is imported, but not called.

    Raises:
        UserError: There is no such model, or it does not take the arguments.
    """
    if name.source in SOURCES:
        without_memory(lambda: outside_model(name, 2, 3))
        return
    with _failures_reported():
        _bound(name.source, name.item, name.arguments, 2, 3)


@contextmanager
def _failures_reported() -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # whatever the code of others raises
        reason = str(error).partition("\n")[0]
        found = f"it cannot be made: {type(error).__name__}: {reason}"
        raise UserError(f"{found}; mend it, or correct its arguments") from error


def without_memory(make: Callable[[], Model]) -> Model:
    """Call ``make`` on torch's device ``meta``, or plainly if it fails there."""
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
    # Without the auxiliary heads, which only help to train, and without a warning of defaults.
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


def _timm(item: str, arguments: Arguments, num_classes: int, channels: int) -> nn.Module:
    timm = from_extra("timm", "timm")
    family, known = item.partition(".")[0], timm.list_models()
    require(family in known, unknown("model of timm", family, known))
    model: nn.Module = timm.create_model(
        item, num_classes=num_classes, in_chans=channels, **arguments
    )
    return model


SOURCES: Table[Source] = Table("source", {"torchvision": _torchvision, "timm": _timm})


def _from_function(
    source: str, item: str, arguments: Arguments, num_classes: int, channels: int
) -> nn.Module:
    """Call a function of the user's own; a copy, as it may return one model again and again."""
    make = _bound(source, item, arguments, num_classes, channels)
    # On meta it could not load weights, and torch would only warn.
    require(torch.get_default_device().type != "meta", "its function needs a real device, not meta")
    return copy.deepcopy(make())


def _bound(
    source: str, item: str, arguments: Arguments, num_classes: int, channels: int
) -> Callable[[], nn.Module]:
    """Give the function its arguments, and classes and channels where it takes them."""
    function = named(source, item)
    asked = {"num_classes": num_classes, "in_channels": channels}
    signature = inspect.signature(function)
    given = {key: value for key, value in asked.items() if key in signature.parameters}
    signature.bind(**given, **arguments)
    return partial(function, **given, **arguments)
