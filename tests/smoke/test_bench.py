"""The bench measures, writes the agreed form, and shows two files side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sakd.distillers import DISTILLERS
from sakd.routing import POLICIES

pytestmark = pytest.mark.slow

BENCH = Path(__file__).parents[2] / "benchmarks" / "bench.py"
PAIR = "resnet14/resnet8"
CHOICE = ["--pairs", PAIR, "--distillers", "at", "--rounds", "1", "--batch", "4", "--all"]
PACK = ["--packs", PAIR]
EXACT = ["--settings", "fp32 contiguous", "fp32 channels_last"]


def bench(*arguments: str) -> str:
    command = [sys.executable, str(BENCH), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_file_of_results_and_two_side_by_side(tmp_path: Path) -> None:
    file = tmp_path / "results" / "a.json"
    bench(*CHOICE, *EXACT, *PACK, "--output", str(file))
    record = json.loads(file.read_text())
    assert {"machine", "versions", "revision", "results", "packs"} <= set(record)
    assert len(record["results"]) == 4
    for result in record["results"]:
        assert (result["teacher"], result["student"]) == ("resnet14", "resnet8")
        assert min(result[name] for name in ("step_ms", "floor_ms", "ratio", "peak_mb")) > 0
    (pack,) = record["packs"]
    assert (pack["pair"], pack["cells"]) == ("resnet14/resnet8", 20)
    assert 0 < pack["predicted"] < 1
    assert min(pack[name] for name in ("seconds", "alone_seconds", "ratio")) > 0
    plain, _, adaptive, _ = record["results"]
    assert (plain["policy"], adaptive["policy"]) == ("always", "adaptive")
    assert plain["peak_mb"] < adaptive["peak_mb"]
    ratio = f"{adaptive['ratio']:.2f}"
    shown = bench("--compare", str(file), str(file)).splitlines()
    (line,) = (line for line in shown if "adaptive" in line and "contiguous" in line)
    assert line.split().count(ratio) == 2
    assert "+0%" in line


def test_a_line_for_every_distiller_and_every_policy(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    bench(*CHOICE, PAIR, *EXACT[:2], "--packs", "--output", str(file))
    found = [(r["distiller"], r["policy"]) for r in json.loads(file.read_text())["results"]]
    assert len(found) == len(set(found))
    assert {distiller for distiller, policy in found if policy == "always"} == set(DISTILLERS)
    assert {policy for distiller, policy in found if distiller == "kd"} == set(POLICIES)
