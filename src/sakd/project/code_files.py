"""The files of code on which the stages of ``dvc.yaml`` depend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sakd.networks.code import network_files

DATA_CODE = ["src/sakd/data", "src/sakd/foundation"]
TRAINING_CODE = [
    *DATA_CODE,
    "src/sakd/distillers",
    "src/sakd/networks",
    "src/sakd/objectives",
    "src/sakd/routing",
    "src/sakd/study",
    "src/sakd/systems",
    "src/sakd/tasks",
    "src/sakd/training",
    "src/sakd/weights",
]
EVALUATION_CODE = [*TRAINING_CODE, "src/sakd/measures"]
"""Networks that were trained beside a student are rebuilt by what trained them."""


def own_code(networks: Iterable[str]) -> list[str]:
    """List the files of the project outside the library that make ``networks``."""
    here = Path.cwd()
    files = {file.resolve() for name in networks for file in network_files(name)}
    inside = [file.relative_to(here).as_posix() for file in files if file.is_relative_to(here)]
    return sorted(path for path in inside if not path.startswith(tuple(TRAINING_CODE)))
