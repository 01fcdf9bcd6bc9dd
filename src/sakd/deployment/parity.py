"""Compare programs with the network that they were made from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sakd.deployment.model import Model
from sakd.deployment.programs import as_fed, pixels_of
from sakd.deployment.running import onnx_logits
from sakd.foundation.errors import require

COUNT = 32
"""Images of random pixels, in batches of 1 and of the rest."""

TOLERANCE = 1e-3
"""The largest difference of logits, as a part of the largest logit."""


class Parity(NamedTuple):
    """The largest difference of a logit from the network's, and the network's largest logit."""

    difference: float
    logit: float


@torch.no_grad()
def largest_difference(model: Model, path: Path, *, inside: bool) -> Parity:
    """Find the largest difference between logits of ``model`` and of the program in ``path``.

    Args:
        model: The model, on the CPU.
        path: A file in ONNX, or one of `torch.export`.
        inside: As in `sakd.deployment.programs.traced`.

    Raises:
        UserError: It is larger than rounding explains.
    """
    module, given = as_fed(model, pixels_of(model, COUNT), inside=inside)
    expected = module(given).numpy()
    batches = given[:1], given[1:]
    if path.suffix == ".onnx":
        found = onnx_logits(path, [each.numpy() for each in batches])
    else:
        program = torch.export.load(path).module()
        found = torch.cat([program(each) for each in batches]).numpy()
    difference = float(np.abs(found - expected).max())
    largest = float(np.abs(expected).max())
    require(
        difference <= TOLERANCE * max(1.0, largest),
        f"{path.name} differs from {model.name} by {difference:.2g} in a logit, more than "
        f"rounding: export it without, --formats {'pt2' if path.suffix == '.onnx' else 'onnx'}",
    )
    return Parity(difference, largest)
