"""Files of tensors (safetensors), with a checksum of the tensors in their header."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file
from torch import Tensor

from sakd.foundation.files import at_once, openable
from sakd.foundation.sealing import AGAIN, damaged

CHECKSUM = "sha256"
"""The entry of the header with `tensors_sha256`."""


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash names, types, shapes and values of ``tensors``, in the order of their names."""
    digest = sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def file_bytes(tensors: Mapping[str, Tensor]) -> int:
    """Compute the size of the file that `save_tensors` would write."""
    return len(save(dict(tensors), {CHECKSUM: tensors_sha256(tensors)}))


def save_tensors(tensors: Mapping[str, Tensor], path: Path) -> str:
    """Write ``tensors`` to ``path`` (.safetensors), whole or not at all; give their checksum.

    Raises:
        OSError: The file cannot be written.
    """
    found = tensors_sha256(tensors)
    with at_once(path) as partial:
        save_file(dict(tensors), partial, metadata={CHECKSUM: found})
    return found


def load_tensors(path: Path, remedy: str = AGAIN) -> dict[str, Tensor]:
    """Read tensors, and compare them with their checksum if the file has one.

    Args:
        path: The file.
        remedy: How to get it again, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: It cannot be read, or holds other tensors than were written.
    """
    try:
        with safe_open(openable(path), framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
            expected = (file.metadata() or {}).get(CHECKSUM)
    except SafetensorError as error:
        raise damaged(path, error, remedy) from error
    if expected is not None and expected != tensors_sha256(tensors):
        raise damaged(path, "its tensors and their checksum differ", remedy)
    return tensors


def checksum_of(path: Path) -> str | None:
    """Read the checksum in the header of a file of tensors; None without one.

    Raises:
        DamagedError: The file cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get(CHECKSUM)
    except SafetensorError as error:
        raise damaged(path, error) from error
