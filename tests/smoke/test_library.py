"""The library works without the project around it, and as the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.extras import EXTRAS
from sakd.study.parsing import parse_parameters

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```python[^\n]*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
BARRED = ("kedro", "kedro_datasets", "kedro_datasets_experimental", "kedro_viz", "pydantic", "dvc")
MODULES = (
    *("foundation", "weights", "networks", "data", "distillers", "routing", "objectives"),
    *("training", "reporting", "study.trainings", "study.train", "study.evaluation"),
)
EXTRA = sorted({package for packages in EXTRAS.values() for package in packages})

USE = """
from pathlib import Path

import torch
from PIL import Image

import sakd
from sakd.command.main import main
from sakd.data import BatchStream, ImageSet, RawData, Splitting, prepare
from sakd.networks import NETWORKS
from sakd.objectives import DataFacts, distil
from sakd.training import fit
from sakd.weights.saved import Weights, save_weights

torch.set_num_threads(1)
torch.manual_seed(0)
pixels, labels = torch.randint(256, (40, 3, 8, 8), dtype=torch.uint8), torch.arange(40) % 2
raw = RawData(ImageSet(pixels, labels), None, ("ant", "bee"), "made for the test")
splits = prepare(raw, Splitting(0.25, test_fraction=0.2), name="toys")
card, train = splits.card, splits.train
student, teacher = (NETWORKS[name](num_classes=2) for name in ("resnet8", "resnet14"))
problem = distil(student, teacher, "at-sp", "adaptive", DataFacts(train.shape, train.labels))
fit(problem, BatchStream(train, card.mean, card.std, batch_size=8, seed=0), epochs=1)

described = {"network": "resnet8", "data": card.to_json()}
save_weights(Weights(student.state_dict(), described), Path("student.safetensors"))
Path("pets/ant").mkdir(parents=True)
Image.new("RGB", (9, 9)).save("pets/ant/one.png")
commands = (
    "export student.safetensors --to folder --formats none",
    "predict folder pets --output answers.csv",
    "evaluate folder --data pets",
    "spots resnet8",
    *(f"list {what}" for what in ("distillers", "networks", "policies", "objectives", "datasets")),
)
for command in commands:
    assert main(command.split()) == 0, command
model = sakd.load("folder")
assert model(model.preprocess("pets/ant/one.png")[None]).shape == (1, 2)
"""
"""Losses, the loop, and a student in use."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run code in a new interpreter, in an empty folder, as if packages were not installed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def execute(code: str, without: Sequence[str] = BARRED) -> subprocess.CompletedProcess[str]:
        barrier = f"import sys; sys.modules.update(dict.fromkeys({without!r}))\n"
        command = [sys.executable, "-W", "error", "-c", barrier + code]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return execute


def test_the_library_imports_neither_kedro_nor_pydantic(run: Run) -> None:
    imports = "".join(f"import sakd.{module}\n" for module in MODULES)
    done = run(imports)
    assert done.returncode == 0, done.stderr


def test_a_student_the_losses_and_the_loop_need_no_extra(run: Run) -> None:
    done = run(USE, without=EXTRA)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["pandas", "kedro"])
def test_a_package_that_is_barred_cannot_be_imported(package: str, run: Run) -> None:
    assert f"import of {package} halted" in run(f"import {package}", without=EXTRA).stderr


def test_the_readme_shows_the_library_in_python() -> None:
    assert BLOCKS


def test_the_readme_shows_an_error_as_it_is_printed() -> None:
    with pytest.raises(UserError) as found:
        parse_parameters({"student": {"epoch": 3}})
    assert f"\nError: {found.value}\n" in README


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_what_the_readme_shows_runs(block: str, run: Run) -> None:
    done = run(re.sub(r"\bepochs=\d+", "epochs=1", block))
    assert done.returncode == 0, done.stderr
