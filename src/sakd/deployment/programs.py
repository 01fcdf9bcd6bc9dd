"""A network as a program that needs no code of this project: of torch, or in ONNX."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from sakd.deployment.model import Model
from sakd.foundation.errors import UserError
from sakd.foundation.files import at_once

BATCH = 2
"""Images in the batch by which a network is traced; the program takes any number."""

OUTPUT = "logits"

LONGEST = 200
"""Letters of a reason that a message has."""


class FromPixels(nn.Module):
    """A model from the pixels of pictures that have its form: it normalises them by itself."""

    def __init__(self, model: Model) -> None:
        """Put the normalisation before the network of ``model``."""
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Map pixels (B, H, W, C) uint8 to logits (B, K)."""
        logits: Tensor = self.model(self.model.normalise(pixels.permute(0, 3, 1, 2)))
        return logits


def pixels_of(model: Model, count: int) -> Tensor:
    """Draw pixels (B, H, W, C) uint8, the same every time, in the form of the model's images."""
    source = torch.Generator().manual_seed(0)
    channels, height, width = model.data.image_shape
    shape = (count, height, width, channels)
    return torch.randint(256, shape, dtype=torch.uint8, generator=source)


def traced(model: Model, *, inside: bool) -> ExportedProgram:
    """Trace ``model`` to a program for any number of images.

    Args:
        model: The model, on the CPU.
        inside: Whether the program normalises pixels (B, H, W, C) uint8 by itself; otherwise it
            takes normalised images (B, C, H, W) float32.

    Raises:
        UserError: torch cannot trace it.
    """
    module, given = as_fed(model, pixels_of(model, BATCH), inside=inside)
    dynamic = ({0: torch.export.Dim("batch", min=1)},)
    found = f"{model.name} cannot be traced by torch.export"
    with torch.no_grad(), in_one_line(found, "export weights and card alone, --formats none"):
        program = torch.export.export(module, (given,), dynamic_shapes=dynamic)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def as_fed(model: Model, pixels: Tensor, *, inside: bool) -> tuple[nn.Module, Tensor]:
    """Give the module that a program is traced from, and what it takes for ``pixels``."""
    if inside:
        return FromPixels(model), pixels
    return model.network, model.normalise(pixels.permute(0, 3, 1, 2))


def write_torch(program: ExportedProgram, path: Path, name: str, *, inside: bool) -> None:
    """Write a program for `torch.export.load`; for the arguments see `write_onnx`."""
    del name, inside
    with at_once(path) as partial, partial.open("wb") as file:
        torch.export.save(program, file)


def write_onnx(program: ExportedProgram, path: Path, name: str, *, inside: bool) -> None:
    """Write a program in ONNX.

    Args:
        program: The program.
        path: The file.
        name: The network, for messages.
        inside: As in `traced`; the input is called by `input_name`.

    Raises:
        UserError: An operation cannot be expressed in ONNX.
    """
    found = f"{name} cannot be expressed in ONNX"
    with in_one_line(found, "export it without, --formats pt2"):
        made: Any = torch.onnx.export(
            program,
            input_names=[input_name(inside=inside)],
            output_names=[OUTPUT],
            verbose=False,
        )
    with at_once(path) as partial:
        made.save(partial, external_data=False)


def input_name(*, inside: bool) -> str:
    """Name the input of a program: ``pixels``, or ``images`` that are normalised."""
    return "pixels" if inside else "images"


@contextmanager
def in_one_line(found: str, remedy: str) -> Iterator[None]:
    """Turn what an exporter raises into one line, and keep it from talking meanwhile.

    Raises:
        UserError: It raised something.
    """
    logging.disable()
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    except Exception as error:  # of many kinds
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = " ".join(str(cause).split()) or type(cause).__name__
        raise UserError(f"{found} ({reason[:LONGEST]}): {remedy}") from error
    finally:
        logging.disable(logging.NOTSET)
