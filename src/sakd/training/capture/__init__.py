"""Steps that are recorded once, and repeated by one launch."""

from sakd.training.capture.captured import Captured, Step
from sakd.training.capture.graphs import recorder_for

__all__ = ["Captured", "Step", "recorder_for"]
