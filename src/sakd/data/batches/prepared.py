"""Prepared images on disk: a table of tensors per split.

Images in memory are ``images`` (N, C, H, W) uint8 and ``labels`` (N,) int64. Images in files are
``paths``, UTF-8 text as uint8 in which a 0 separates one path from the next, ``content`` (N, 16)
uint8, a digest of the pixels of each, ``labels``, ``side``, the pixels of the crop that networks
see, and ``tones``, the three numbers of `sakd.data.pictures.form.Tones`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from sakd.data.batches.images import Images, ImageSet
from sakd.data.batches.streamed import ImageFiles
from sakd.foundation.errors import require


def from_tensors(
    tensors: Mapping[str, Tensor], root: Path | None = None, workers: int = 0
) -> Images:
    """Read back the result of `Images.tensors`.

    Args:
        tensors: The table of one split.
        root: The folder of images in files; None for images in memory.
        workers: Processes that decode the files.

    Raises:
        UserError: The images are in files, and there is no folder.
    """
    if "paths" not in tensors:
        return ImageSet(tensors["images"], tensors["labels"])
    require(root is not None, "these images are streamed from files: set data.path to their folder")
    return ImageFiles.from_tensors(tensors, Path(root or ""), workers)
