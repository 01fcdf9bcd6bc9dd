"""Shared by the tests of studies: parameters, a card of colour images, and measured cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader

from sakd.data import DataCard, Prepared, Splits
from sakd.settings import CONFIG_LOADER_ARGS
from sakd.study.bench import Bench
from sakd.study.evaluation import Evaluator
from sakd.study.grid import Cell
from sakd.study.store import Record
from sakd.weights.saved import Weights

Load = Callable[..., dict[str, Any]]
Evaluate = Callable[[Cell, Record], Mapping[str, float]]


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


@pytest.fixture
def test(splits: Splits) -> Prepared:
    """Give the test images of the toy study."""
    return Prepared(splits.test, splits.card)


@pytest.fixture
def evaluate(bench: Bench, test: Prepared, teacher: Weights) -> Evaluate:
    """Measure a cell of the toy study on its test images."""
    evaluator = Evaluator(bench.store, test, bench.val, bench.device)
    return lambda cell, record: evaluator.cell(cell, record, teacher).measures
