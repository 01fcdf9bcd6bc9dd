"""How a model is exported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sakd.foundation.errors import require
from sakd.foundation.extras import require_extra

FORMATS = ("onnx", "pt2")
"""Programs that a model can be exported as: in ONNX, and for `torch.export.load`."""

Int8 = Literal["dynamic", "static"]
"""Whether ranges of activations are found at every use, or once from training images."""


@dataclass(frozen=True)
class Export:
    """How a model is exported.

    Attributes:
        formats: Some of `FORMATS`.
        inside: Whether the programs normalise pixels by themselves: they take (B, H, W, C) uint8;
            otherwise normalised images (B, C, H, W) float32.
        int8: How the program in ONNX is quantised, too; None for not at all.
        license: An identifier of the Hugging Face Hub for the model's licence.
        primary: The folder of the prepared data, for ``int8``; None for that of the project.
        images: The folder of images that stay in their files, likewise.

    Raises:
        UserError: A value is wrong, or packages are missing.
    """

    formats: tuple[str, ...] = FORMATS
    inside: bool = False
    int8: Int8 | None = None
    license: str = "unknown"
    primary: Path | None = None
    images: Path | None = None

    def __post_init__(self) -> None:
        """Check the values, and that the packages are there that they need."""
        strange = [name for name in self.formats if name not in FORMATS]
        known = f"known: {', '.join(FORMATS)}, both as {'+'.join(FORMATS)}, or none"
        require(not strange, f"unknown format {', '.join(strange)!r}; {known}")
        fine = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", self.license) is not None
        require(fine, f"{self.license!r} is no licence of the Hub; write one as in mit, apache-2.0")
        if "onnx" in self.formats:
            require_extra("export")
        fine = self.int8 is None or "onnx" in self.formats
        require(fine, "int8 is a program in ONNX: add onnx to the formats, or leave int8 out")
