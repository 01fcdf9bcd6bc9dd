"""Results that are the same to the bit on a GPU too, for which torch computes more slowly."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

import torch

from sakd.foundation.errors import UserError, require

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""The variable of the environment by which cuBLAS gets memory of its own for each stream."""

FIXED = ":4096:8", ":16:8"
"""Its values with which products are repeatable."""

_REFUSED = re.compile(r"(\S+) does not have a deterministic implementation")


def compute_deterministically() -> None:
    """Have torch take deterministic operations alone, in this process from now on.

    Raises:
        UserError: A GPU is in use already, or the environment asks cuBLAS for something else.
    """
    found = os.environ.get(WORKSPACE)
    if found is None:
        used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
        complaint = f"deterministic: true came after a GPU was used, without {WORKSPACE}"
        require(not used, f"{complaint}: set it to {FIXED[0]} before")
        os.environ[WORKSPACE] = FIXED[0]
    elif found not in FIXED:
        complaint = f"deterministic: true does not go with {WORKSPACE}={found}"
        raise UserError(f"{complaint}: set it to one of {', '.join(FIXED)}, or leave it out")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def expect_deterministic() -> None:
    """Have results that lack determinism told, see `lacks`, where nothing is to be computed."""
    torch.use_deterministic_algorithms(True)


def is_deterministic() -> bool:
    """Tell whether torch takes deterministic operations alone."""
    return torch.are_deterministic_algorithms_enabled()


def lacks(provenance: Mapping[str, str]) -> Iterator[str]:
    """Say, where determinism is asked for, that a result does not have it, by its `provenance`."""
    on_gpu = provenance.get("device", "").startswith("cuda")
    if is_deterministic() and on_gpu and "deterministic" not in provenance:
        yield "it was trained on a GPU without deterministic: true"


def refusal(error: BaseException) -> UserError | None:
    """Say in one line which operation torch has refused, if that is the ``error``."""
    found = _REFUSED.search(str(error)) if is_deterministic() else None
    if found is None:
        return None
    return UserError(
        f"{found[1]} gives other bits each time on a GPU, and deterministic is true: set it to "
        "false, or take a network or method without this operation"
    )
