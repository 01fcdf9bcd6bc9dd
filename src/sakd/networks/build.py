"""From a name to a network: of the zoo, from outside, or rebuilt from two."""

from __future__ import annotations

from functools import partial

from sakd.foundation.errors import UserError, require
from sakd.foundation.tables import UnknownNameError
from sakd.networks.ensemble import Ensemble, names_of
from sakd.networks.outside.libraries import check_outside, outside_model
from sakd.networks.outside.names import FORMS, is_outside, parse_name
from sakd.networks.rebuilt import REUSED, Rebuilding
from sakd.networks.staged import StagedNetwork, check_fit
from sakd.networks.staging import stage
from sakd.networks.zoo.table import NetworkBuilder, zoo_builder

REBUILDINGS: tuple[Rebuilding, ...] = (REUSED,)
"""All ways to rebuild a student with parts of its teacher; each has a sign of its own."""


def build_network(
    name: str, *, num_classes: int, image_shape: tuple[int, int, int]
) -> StagedNetwork:
    """Build the network called ``name``, with fresh weights from torch's current random state.

    Args:
        name: Of the zoo, from outside (see `sakd.networks.outside.names`), of a rebuilt student
            (see `sakd.networks.rebuilt`) or of several networks (see `sakd.networks.ensemble`). It
            must come from parameters or code, never from a file: a function that it names is
            imported and called.
        num_classes: Number of logits, K.
        image_shape: Of the images, (C, H, W).

    Raises:
        UserError: There is no such network, or it does not fit the data.
    """
    if len(members := names_of(name)) > 1:
        build = partial(build_network, num_classes=num_classes, image_shape=image_shape)
        return Ensemble([build(member) for member in members])
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
    """Check, before there is any data, that ``name`` can be a teacher or a student.

    A function that it names is imported, but not called.

    Raises:
        UserError: There is no such network, it does not take the arguments, or it is rebuilt from
            two others.
    """
    for rebuilding in REBUILDINGS:
        require(
            rebuilding.parts(name) is None,
            f"{name!r} is rebuilt from two networks by distillation: "
            f"name {' or '.join(rebuilding.parts(name) or ())}",
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
        return zoo_builder(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; or {FORMS}") from error
