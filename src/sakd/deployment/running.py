"""Run programs in ONNX on the CPU, by onnxruntime."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from sakd.deployment.programs import OUTPUT
from sakd.foundation.extras import from_extra


def onnx_logits(path: Path, batches: Iterable[np.ndarray]) -> np.ndarray:
    """Run the program in ``path``, with as many threads as torch has.

    Args:
        path: A file in ONNX with one input.
        batches: What it is fed, one after the other.

    Returns:
        The logits of all batches, (N, K) float32.
    """
    onnxruntime = from_extra("export", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    (feed,) = session.get_inputs()
    return np.concatenate([session.run([OUTPUT], {feed.name: each})[0] for each in batches])
