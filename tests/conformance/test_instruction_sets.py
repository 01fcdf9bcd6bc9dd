"""The comparisons hold on a processor without the newest instructions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OLDEST = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}
PART = """
import torch
from conformance.contrast import compare_contrast
from conformance.losses import compare_loss
from conformance.steps.compare import compare_steps
from conformance.steps.pretraining import compare_pretraining

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
found = [compare_loss(name) for name in ("kd/T4", "pkt/equal", "fitnet/down2", "kdsvd/equal")]
found += [compare_steps(name) for name in ("at_fixed_nopenalty", "pkt_fixed", "vid_fixed")]
found += [compare_contrast(), compare_pretraining()]
for comparison in found:
    print(comparison.line())
print(sum(len(comparison.failures) for comparison in found), "failures with")
print(torch.backends.cpu.get_cpu_capability())
"""


def test_the_comparisons_hold_with_the_oldest_instructions() -> None:
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PART],
        env={**os.environ, **OLDEST, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("\n0 failures with\nDEFAULT\n"), done.stdout + done.stderr
