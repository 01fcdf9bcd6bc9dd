"""Train every teacher once."""

from sakd.pipelines.teacher.pipeline import create_pipeline

__all__ = ["create_pipeline"]
