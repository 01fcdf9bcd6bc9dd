"""Results of the bench as a file: the machine, the versions, a line per step; two side by side."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

from sakd.foundation.machine import provenance
from sakd.foundation.places import check_place

RESULTS = Path(__file__).parent / "results"
KEY = ("teacher", "student", "distiller", "policy", "setting")


def described_machine() -> dict[str, Any]:
    """The processor, and how busy it was at the start."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
    }


def header() -> dict[str, Any]:
    """The facts about a measurement that stand above its results."""
    facts = provenance("cpu")
    versions = {name: facts[name] for name in ("sakd", "python", "torch", "platform")}
    machine = described_machine()
    return {"revision": facts["git_revision"], "versions": versions, "machine": machine}


def place(given: Path | None, name: str) -> Path:
    """Choose the file of results, and check before they are measured that it can be written.

    Args:
        given: The file that was asked for, if any.
        name: What it is called among the results of this project, if none was.
    """
    path = given or RESULTS / f"{name}.json"
    try:
        check_place(path)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
    return path


def write(path: Path, record: dict[str, Any]) -> None:
    """Write ``record`` with one result a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n    ".join(json.dumps(result) for result in record["results"])
    rest = json.dumps({k: v for k, v in record.items() if k != "results"}, indent=2)
    path.write_text(f'{rest[:-2]},\n  "results": [\n    {lines}\n  ]\n}}\n')


def side_by_side(first: Path, second: Path) -> None:
    """Print the ratios and peaks of two files, of all steps that both have."""
    records = [json.loads(path.read_text()) for path in (first, second)]
    for path, record in zip((first, second), records, strict=True):
        machine = record["machine"]
        print(f"{path}: {record['revision'][:12]}, {machine['processor']}, load {machine['load']}")
    old, new = ({tuple(r[k] for k in KEY): r for r in record["results"]} for record in records)
    print(f"{'':<22}{'':<24}{'':<20}{'ratio':>7}{'':>7}{'':>7}{'peak MB':>9}")
    for key in (key for key in old if key in new):
        teacher, student, distiller, policy, setting = key
        a, b = old[key]["ratio"], new[key]["ratio"]
        names = f"{f'{teacher}/{student}':<22}{f'{distiller} {policy}':<24}{setting:<20}"
        peaks = f"{old[key]['peak_mb']:>9.0f}{new[key]['peak_mb']:>7.0f}"
        print(f"{names}{a:>7.2f}{b:>7.2f}{100 * (b / a - 1):>+6.0f}%{peaks}")
