"""Train the cells of every row."""

from sakd.pipelines.students.pipeline import create_pipeline

__all__ = ["create_pipeline"]
