"""Prepared images as they are written: a table of tensors per split, read back into images.

Those in memory are ``images`` (N, C, H, W) uint8 and ``labels`` (N,) int64. Those in files are
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
    """Read back what `Images.tensors` gave.

    Args:
        tensors: Those of one split.
        root: The folder of the files, where that is what they are of.
        workers: Processes that decode the files.

    Raises:
        UserError: They are of files, and there is no folder.
    """
    if "paths" not in tensors:
        return ImageSet(tensors["images"], tensors["labels"])
    require(root is not None, "these images are streamed from files: set data.path to their folder")
    return ImageFiles.from_tensors(tensors, Path(root or ""), workers)
