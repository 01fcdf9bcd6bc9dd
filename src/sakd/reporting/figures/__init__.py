"""Plots of results and of training."""

from __future__ import annotations
