"""Tables, figures and pages."""

from sakd.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
