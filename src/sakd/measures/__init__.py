"""Measures of finished networks, from their logits or of the network itself."""

from __future__ import annotations

from sakd.measures.predictions import Predictions, predict

__all__ = ["Predictions", "predict"]
