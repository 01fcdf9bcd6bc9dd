"""How much faster two workers of a thread each train a study than one of them.

The same small study of digits, four rows, is run twice by `RayRunner` on this machine: rows one
after another, and two at a time. The time is that in which students are trained, by their records:
starts of the run, of Ray and of its workers do not count. Both workers have trained a teacher
before they train students. The machine should have nothing else to do.

    python benchmarks/cluster.py --epochs 40
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import records
import torch

from sakd.foundation.spans import covered

ROOT = Path(__file__).parents[1]
WORKERS = (1, 2)
STUDY: dict[str, Any] = {
    "device": "cpu",
    "threads": 1,
    "data": {"splits": "shared"},
    "grid": {
        "pairs": ["resnet20/resnet8", "resnet20@brief/resnet8"],
        "baseline": False,  # rows would share it, and wait for each other
        "distillers": ["kd", "at"],
        "policies": ["always"],
        "seeds": [0, 1],
    },
    "teacher": {"epochs": 2, "keep_epochs": 0},
    "teacher_variants": {"brief": {"epochs": 2}},
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40, help="of each student (%(default)s)")
    parser.add_argument("--output", type=Path, help="the file of results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    record = records.header()
    path = records.place(options.output, f"cluster-{record['revision'][:12]}")
    record["results"] = [measured(workers, options.epochs) for workers in WORKERS]
    one, two = (result["seconds"] for result in record["results"])
    record["ratio"] = round(one / two, 3)
    for result in record["results"]:
        print(f"workers {result['workers']}: {result['seconds']:6.1f} s")
    print(f"ratio:     {record['ratio']:6.2f}")
    records.write(path, record)
    print(f"written to {path}")


def measured(workers: int, epochs: int) -> dict[str, Any]:
    """Run the study with as many ``workers``."""
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "conf")
        shutil.copytree(ROOT / "conf", conf)
        (conf / "small").mkdir()
        study = STUDY | {"student": {"epochs": epochs, "keep_epochs": 0}}
        (conf / "small" / "parameters.yml").write_text(json.dumps(study))
        (conf / "small" / "globals.yml").write_text(json.dumps({"data_root": f"{folder}/data"}))
        share = (os.cpu_count() or 1) / workers
        chosen = ("--env", "small", "--conf-source", str(conf))
        stages = ("--pipelines", "data_preparation,teacher,students")
        shares = ("--runner", "RayRunner", "--runner-params", f"cpus={share}")
        command = [sys.executable, "-m", "kedro", "run", *chosen, *stages, *shares]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - a command of this project
        spans = sorted(map(span, Path(folder, "data").rglob("*resnet8*/*/record.json")))
    seconds = round(covered(spans), 1)
    return {"workers": workers, "trainings": len(spans), "epochs": epochs, "seconds": seconds}


def span(path: Path) -> tuple[float, float]:
    """Read from the record of a training when it was, in seconds since 1970."""
    record = json.loads(path.read_text())
    end = datetime.fromisoformat(record["ended"]).timestamp()
    return end - record["seconds"], end


if __name__ == "__main__":
    main()
