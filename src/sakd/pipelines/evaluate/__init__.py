"""Read the test split, once."""

from sakd.pipelines.evaluate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
