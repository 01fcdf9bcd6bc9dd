"""The columns of results and history that hold accuracies, named after the metric."""

from __future__ import annotations

from sakd.measures import BATCHES, CORRUPTIONS
from sakd.tasks import CLASSIFICATION

METRIC, TITLE = CLASSIFICATION.metric, CLASSIFICATION.title

VAL = f"val_{METRIC}"
TEST = f"test_{METRIC}"
TEST_VAL_SELECTED = f"{TEST}_val_selected"
TEST_BEST = f"{TEST}_best"
TEST_BALANCED = "test_balanced"
TEST_NLL = "test_nll"
TEACHER_TEST = f"teacher_{TEST}"

QUALITY = (TEST_BALANCED, "test_top5", TEST_NLL, "test_ece", "test_ece_scaled", "temperature")
FIDELITY = ("test_agreement", "test_kl")
ROBUSTNESS = ("test_corrupted", *(f"test_corrupted_{name}" for name in CORRUPTIONS))
COST = (
    *("parameters", "macs", "file_bytes", "peak_bytes"),
    *(f"latency_b{size}_p{percent}_ms" for size in BATCHES for percent in (50, 95)),
)

MEASURES = (*QUALITY, *FIDELITY, *ROBUSTNESS, *COST)
"""The measures of a network next to its accuracy; see docs/protocol.md."""

OF_TEACHERS = (TEST, *QUALITY, *ROBUSTNESS, *COST)
"""The measures of a teacher, in columns that begin with ``teacher_``."""

PLACES = ("record", "weights")
"""The files of a cell, as paths in the project."""

SETTING, SWEPT = "setting", "swept"
"""In which settings a cell differs from those of the study; and which of them are of a sweep."""

SPENT = ("seconds", "ended")
"""How long a training took, and when it ended."""

ORIGIN = ("ended", "revision", "torch", "device", "platform")
"""When and where a cell was trained."""

MEASURED = (
    *(VAL, TEST, TEST_VAL_SELECTED, TEST_BEST, *MEASURES, "seconds"),
    "teacher_seconds",
    *(f"teacher_{name}" for name in OF_TEACHERS),
)
"""Every column of numbers; all but `TEST` may be missing."""
