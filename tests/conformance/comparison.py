"""Compare computed values with golden ones, and remember the largest deviation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

TOLERANCE = 1e-9
"""Relative (L2). Processors differ by 1e-11 in float64, a wrong constant by far more."""
ZERO = 1e-12
"""References of at most this size are zero up to rounding: compared absolutely, to this."""
GOLDEN = Path(__file__).parent.parent / "golden"

Golden = dict[str, Any]


@cache
def golden(name: str) -> Golden:
    """Read a file of golden values: real numbers as float64 tensors, text as it is."""
    with np.load(GOLDEN / f"{name}.npz") as stored:
        return {key: _native(key, stored[key]) for key in stored.files}


def names(folder: str) -> list[str]:
    """List the files of golden values in a folder."""
    return sorted(file.stem for file in (GOLDEN / folder).glob("*.npz"))


def below(prefix: str, values: Golden) -> Golden:
    """Take the entries whose keys begin with ``prefix``, without it."""
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


def _native(key: str, array: np.ndarray) -> Any:
    if array.dtype.kind == "f":
        return torch.from_numpy(array.astype(np.float64))
    if array.dtype.kind != "U":
        return torch.from_numpy(array)
    return json.loads(array.item()) if key == "meta" else array.tolist()


@dataclass
class Worst:
    """The largest deviation of one part of a case."""

    tolerance: float
    deviation: float = 0.0
    name: str = "-"


@dataclass
class Comparison:
    """Compares the values of one golden case, part by part, and remembers the worst."""

    case: str
    parts: dict[str, Worst] = field(default_factory=dict)
    compared: int = 0
    failures: list[str] = field(default_factory=list)

    def check(
        self, part: str, name: str, value: Any, reference: Any, tolerance: float = TOLERANCE
    ) -> None:
        """Take the relative L2 deviation; absolute where the reference is zero."""
        value, reference = _precise(value), _precise(reference)
        if reference.numel() == 1:
            reference = reference.reshape(())
        if value.shape != reference.shape:
            self.failures.append(f"{part} {name}: shape {value.shape}, expected {reference.shape}")
            return
        self.compared += 1
        error, size = float((value - reference).norm()), float(reference.norm())
        if size <= ZERO:
            if not error <= ZERO:
                self.failures.append(f"{part} {name}: {error:.2e}, expected 0")
            return
        worst = self.parts.setdefault(part, Worst(tolerance))
        if not error / size <= worst.deviation:
            worst.deviation, worst.name = error / size, name
        if not error / size <= tolerance:
            self.failures.append(f"{part} {name}: {error / size:.2e} > {tolerance:.0e}")

    def line(self) -> str:
        """Describe the case in one line."""
        parts = [
            f"{part} {worst.deviation:.1e} of {worst.tolerance:.0e} ({worst.name})"
            for part, worst in self.parts.items()
        ]
        verdict = f"{len(self.failures)} FAILED; " if self.failures else ""
        return f"{self.case} [{self.compared}]: {verdict}{', '.join(parts) or 'exactly zero'}"


def _precise(value: Any) -> torch.Tensor:
    tensor = torch.as_tensor(value).detach()
    assert tensor.dtype in {torch.float64, torch.int64, torch.bool}, f"computed in {tensor.dtype}"
    return tensor.double()
