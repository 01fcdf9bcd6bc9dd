"""The columns of results and history that hold accuracies, named after the metric."""

from __future__ import annotations

from sakd.tasks import CLASSIFICATION

METRIC, TITLE = CLASSIFICATION.metric, CLASSIFICATION.title

VAL = f"val_{METRIC}"
TEST = f"test_{METRIC}"
TEST_VAL_SELECTED = f"{TEST}_val_selected"
TEST_BEST = f"{TEST}_best"
TEST_BALANCED = "test_balanced"
TEACHER_TEST = f"teacher_{TEST}"
TEACHER_BALANCED = f"teacher_{TEST_BALANCED}"

MEASURED = (VAL, TEST, TEST_VAL_SELECTED, TEST_BEST, TEST_BALANCED, TEACHER_TEST, TEACHER_BALANCED)
"""Every one of them; all but `TEST` may be missing."""
