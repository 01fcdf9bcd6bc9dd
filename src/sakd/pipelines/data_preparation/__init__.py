"""Raw images to honest splits."""

from sakd.pipelines.data_preparation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
