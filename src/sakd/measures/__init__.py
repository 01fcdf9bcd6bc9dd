"""Measures of finished networks, from their answers or of the network itself."""

from __future__ import annotations

from sakd.measures.corruptions import CORRUPTIONS
from sakd.measures.cost import BATCHES, cost
from sakd.measures.fidelity import fidelity
from sakd.measures.predictions import Predictions, predict, robustness
from sakd.measures.quality import best_temperature, quality

__all__ = [
    "BATCHES",
    "CORRUPTIONS",
    "Predictions",
    "best_temperature",
    "cost",
    "fidelity",
    "predict",
    "quality",
    "robustness",
]
