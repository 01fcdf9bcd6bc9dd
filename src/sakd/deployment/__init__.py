"""Finished networks in use: load, predict, evaluate, export."""

from __future__ import annotations

from sakd.deployment.loading import load
from sakd.deployment.model import Model

__all__ = ["Model", "load"]
