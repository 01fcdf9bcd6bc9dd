"""Imports that every command of Kedro waits for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

LATE = ("IPython", "scipy.stats", "torchvision", "timm", "ray", "sklearn", "kedro_viz.server")
"""Packages that take long to import, and that no start of a run needs."""


def test_pipelines_are_built_without_what_takes_long_to_import() -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from kedro.framework.startup import bootstrap_project; bootstrap_project(Path()); "
        "from kedro.framework.project import pipelines; dict(pipelines); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "sakd.pipelines.report.nodes" in loaded
    assert [name for name in LATE if name in loaded] == []
