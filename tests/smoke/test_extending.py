"""The examples of docs/extending.md: written and entered where the page says, then run."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_digits

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
SECTION = re.compile(
    r"^`src/(?P<file>\S+)\.py`:\n\n```python\n(?P<code>.*?)```\n"
    r".*?In `src/(?P<table>\S+)`.*?```python\n\s*(?P<entry>.*?),?\n```\n"
    r".*?```\nkedro run --pipelines distill --params \"(?P<parameters>.*?)\"\n```",
    re.MULTILINE | re.DOTALL,
)


class Example(NamedTuple):
    """A new file, its line in a table, and the parameters of a run that uses it."""

    file: str
    code: str
    table: str
    entry: str
    parameters: str

    def enter(self, source: Path) -> None:
        """Add the file and its line to the package in ``source``."""
        (source / f"{self.file}.py").write_text(self.code)
        table = source / self.table
        text = table.read_text()
        made = next(n for n in re.findall(r"\w+", self.entry) if f" {n}(" in self.code)
        statement = f"from {self.file.replace('/', '.')} import {made}\n"
        text = text.replace(
            "from sakd.foundation.tables", f"{statement}from sakd.foundation.tables", 1
        )
        opening = re.compile(r'Table\(\s*"\w+",\s*\{')
        text, count = opening.subn(lambda match: f"{match[0]}\n{self.entry},", text)
        assert count == 1, self.table
        table.write_text(text)


EXAMPLES = [Example(**match.groupdict()) for match in SECTION.finditer(PAGE)]


def test_the_page_has_an_example_of_each_kind() -> None:
    kinds = {example.file.split("/")[1] for example in EXAMPLES}
    assert len(EXAMPLES) == len(kinds)
    assert kinds == {"distillers", "networks", "routing", "data", "systems"}


def test_the_examples_train_together(copy_project: Callable[[], Any], tmp_path: Path) -> None:
    project = copy_project()
    given: dict[str, str] = {}
    for example in EXAMPLES:
        example.enter(project.folder / "src")
        given = dict(item.split("=") for item in example.parameters.split(",")) | given
    digits = load_digits()
    np.save(tmp_path / "images.npy", (digits.images[:, None] * 15).astype(np.uint8))
    np.save(tmp_path / "labels.npy", digits.target)
    assert given["data.path"] == "FOLDER"
    given["data.path"] = str(tmp_path)
    done = project.study(*(f"{name}={value}" for name, value in given.items()))
    assert done.returncode == 0, done.stderr
    found = project.reporting.parent.glob("arrays_*/results.csv")
    (results,) = (file for file in found if "@" not in file.parent.name)  # no copy of a report
    with results.open(newline="") as lines:
        cells = [line["cell"] for line in csv.DictReader(lines)]
    methods = (
        *("none-none", "logit_regression-always", "logit_regression-prominent"),
        "pairing-always",
    )
    slug = results.parent.name
    assert cells == [f"{slug}-resnet20-plain5-{method}-s0" for method in methods]
