"""Prepared images, and how they reach a training step."""
