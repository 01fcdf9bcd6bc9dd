"""Programs in ONNX with 8 bits, and their accuracy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sakd.data import Images
from sakd.deployment.export_options import Int8
from sakd.deployment.model import Model
from sakd.deployment.prepared import spread
from sakd.deployment.programs import in_one_line, input_name
from sakd.deployment.running import onnx_logits
from sakd.foundation.extras import from_extra

CALIBRATION = 256
"""Training images from which the ranges are found."""

BATCH = 64


def write_int8(
    source: Path, path: Path, model: Model, train: Images, kind: Int8, *, inside: bool
) -> None:
    """Quantise the program in ``source``: weights and activations become 8-bit numbers.

    Weights are unsigned: signed ones overflow on processors without instructions for them.

    Args:
        source: A file in ONNX.
        path: The file to write.
        model: The model that the program was made from.
        train: Its training images, for static ranges.
        kind: How ranges of activations are found.
        inside: As in `sakd.deployment.programs.traced`.

    Raises:
        UserError: It cannot be quantised.
    """
    quantization = from_extra("export", "onnxruntime.quantization")
    shapes = from_extra("export", "onnxruntime.quantization.shape_inference")
    unsigned = quantization.QuantType.QUInt8
    found = f"{model.name} cannot be quantised"
    with tempfile.TemporaryDirectory() as place, in_one_line(found, "leave --int8 out"):
        shaped = Path(place) / "shaped.onnx"
        shapes.quant_pre_process(source, shaped, skip_symbolic_shape=True)
        if kind == "dynamic":
            quantization.quantize_dynamic(shaped, path, weight_type=unsigned)
        else:
            reader = _Reader(fed(model, spread(train, CALIBRATION), inside=inside), inside=inside)
            types = {"weight_type": unsigned, "activation_type": unsigned}
            quantization.quantize_static(shaped, path, reader, per_channel=True, **types)


def onnx_accuracy(path: Path, model: Model, images: Images, *, inside: bool) -> float:
    """Compute the share of ``images`` that the program in ``path`` classifies rightly."""
    logits = onnx_logits(path, fed(model, images, inside=inside))
    right = logits.argmax(axis=1) == images.labels.numpy()
    return float(right.mean())


def fed(model: Model, images: Images, *, inside: bool) -> Iterator[np.ndarray]:
    """Yield what a program of ``model`` takes for ``images``, in batches."""
    for pixels in images.as_they_are(BATCH, "cpu"):
        given = pixels.permute(0, 2, 3, 1).contiguous() if inside else model.normalise(pixels)
        yield given.numpy()


class _Reader:
    """Hands onnxruntime one batch after the other."""

    def __init__(self, batches: Iterator[np.ndarray], *, inside: bool) -> None:
        self._batches, self._name = batches, input_name(inside=inside)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}
