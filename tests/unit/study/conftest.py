"""Shared by the tests of studies: parameters of environments, and a card of colour images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader

from sakd.data import DataCard
from sakd.settings import CONFIG_LOADER_ARGS

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(root: Path) -> Load:
    """Read the parameters of an environment as a run does, with those of a command line."""

    def read(env: str, **command_line: Any) -> dict[str, Any]:
        loader = OmegaConfigLoader(
            str(root / "conf"), env=env, runtime_params=command_line, **CONFIG_LOADER_ARGS
        )
        return loader["parameters"]

    return read


@pytest.fixture
def card() -> DataCard:
    """Describe seven classes of colour images."""
    return DataCard(
        name="toy",
        classes=tuple(map(str, range(7))),
        channels=3,
        height=16,
        width=16,
        mean=(0.5, 0.4, 0.3),
        std=(0.2, 0.25, 0.3),
        counts={},
        source="made up",
        key="1",
        sha256="0",
    )
