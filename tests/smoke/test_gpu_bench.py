"""The bench for a GPU, tried on a CPU; without either it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.slow

BENCH = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
SMALL = ["--device", "cpu", "--steps", "1", "--images", "100", "--batch", "4"]
CHOICE = ["--pairs", "resnet14/resnet8", "--distillers", "at", "crd"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def record_of(file: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    done = bench(*SMALL, *CHOICE, "--output", str(file), *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text()), done.stdout


def test_every_distiller_and_a_pack_of_all_are_measured(tmp_path: Path) -> None:
    record, shown = record_of(tmp_path / "a.json")
    assert record["left_out"] == []
    found = [(r["student"], r["distiller"], r["setting"], r["members"]) for r in record["results"]]
    one = [("resnet8", name, how, 1) for how in ("fp32", "fast") for name in ("at", "crd")]
    assert found == [*one, ("resnet8", "pack", "fast", 4)]
    figures = ("step_ms", "images_per_s", "share_of_flops", "share_of_bandwidth")
    assert all(result[name] > 0 for result in record["results"] for name in figures)
    assert "240 epochs of 4 students at 1 of 1 pairs" in shown


def test_what_there_is_no_time_for_is_named(tmp_path: Path) -> None:
    record, shown = record_of(tmp_path / "b.json", "--budget", "0")
    assert record["results"] == []
    assert len(record["left_out"]) == 5
    assert "left out: resnet14/resnet8 at fp32; " in shown


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_ends_with_one_line() -> None:
    done = bench()
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "torch sees no GPU" in done.stderr


def test_a_file_of_results_that_cannot_be_written_is_named_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    done = bench(*SMALL, *CHOICE, "--output", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"{tmp_path}: Is a directory\n"
