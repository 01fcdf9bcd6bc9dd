"""The conformance report: each golden case with its largest deviation from the reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

NOISE = 1e-6
"""References that are zero up to rounding are compared absolutely, to this."""

Golden = dict[str, Any]


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

    def check(self, part: str, name: str, value: Any, reference: Any, tolerance: float) -> None:
        """Take the relative L2 deviation; absolute where the reference is zero."""
        value, reference = _double(value), _double(reference)
        if reference.numel() == 1:
            reference = reference.reshape(())
        if value.shape != reference.shape:
            self.failures.append(f"{name}: shape {value.shape}, expected {reference.shape}")
            return
        error, size = float((value - reference).norm()), float(reference.norm())
        if size <= NOISE:
            self.negligible(name, value - reference)
            return
        self.compared += 1
        worst = self.parts.setdefault(part, Worst(tolerance))
        if not error / size <= worst.deviation:
            worst.deviation, worst.name = error / size, name
        if not error / size <= tolerance:
            self.failures.append(f"{part} {name}: {error / size:.2e} > {tolerance:.0e}")

    def negligible(self, name: str, value: Any) -> None:
        """Demand a value of zero, up to rounding."""
        self.compared += 1
        if not float(_double(value).norm()) <= NOISE:
            self.failures.append(f"{name}: {float(_double(value).norm()):.2e}, expected 0")

    def line(self) -> str:
        """Describe the case in one line."""
        parts = [
            f"{part} {worst.deviation:.1e} of {worst.tolerance:.0e} ({worst.name})"
            for part, worst in self.parts.items()
        ]
        verdict = f"{len(self.failures)} FAILED; " if self.failures else ""
        return f"{self.case} [{self.compared}]: {verdict}{', '.join(parts) or 'exactly zero'}"


def _native(key: str, array: np.ndarray) -> Any:
    if array.dtype.kind != "U":
        return torch.from_numpy(np.array(array))
    return json.loads(array.item()) if key == "meta" else array.tolist()


def _double(value: Any) -> torch.Tensor:
    return torch.as_tensor(value).detach().double()


comparisons = pytest.StashKey[list[Comparison]]()


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Callable[[str], Comparison]:
    """Start the comparison of a golden case; it appears in the report."""

    def start(case: str) -> Comparison:
        comparison = Comparison(case)
        request.config.stash.setdefault(comparisons, []).append(comparison)
        return comparison

    return start


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Golden]:
    """Read a file of golden values: numbers as tensors, text as it is."""
    folder = Path(__file__).parent.parent / "golden"

    def read(name: str) -> Golden:
        with np.load(folder / f"{name}.npz") as stored:
            arrays = {key: stored[key] for key in stored.files}
        return {key: _native(key, array) for key, array in arrays.items()}

    return read


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line per golden case: largest deviation of each part, its tolerance, its name."""
    lines = [comparison.line() for comparison in config.stash.get(comparisons, [])]
    if lines:
        terminalreporter.section("conformance: largest relative deviation per golden case")
        for line in sorted(lines):
            terminalreporter.line(line)
