"""Conformance runs in float64; its report gives the largest deviation of every golden case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from conformance.comparison import Comparison

comparisons = pytest.StashKey[list[Comparison]]()


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def equal(request: pytest.FixtureRequest) -> Callable[[Comparison], None]:
    """Demand that a comparison found no difference; it appears in the report."""

    def demand(comparison: Comparison) -> None:
        request.config.stash.setdefault(comparisons, []).append(comparison)
        assert comparison.compared, "nothing was compared"
        assert not comparison.failures

    return demand


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line per golden case: largest deviation of each part, its tolerance, its name."""
    lines = [comparison.line() for comparison in config.stash.get(comparisons, [])]
    if lines:
        terminalreporter.section("conformance: largest relative deviation per golden case")
        for line in sorted(lines):
            terminalreporter.line(line)
