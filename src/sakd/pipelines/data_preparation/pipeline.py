"""Wiring of data preparation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.pipelines.data_preparation.nodes import prepare_data
from sakd.study.parameters import Settings


def create_pipeline(settings: Settings) -> Pipeline:
    """One node: raw images to splits and a card."""
    name = settings.data.label
    node = Node(
        prepare_data,
        inputs=["params:data", "params:earlier"],
        outputs=[f"{name}-development", f"{name}-test", f"{name}-card"],
        name=f"prepare-{name}",
    )
    return Pipeline([node], tags=["data_preparation"])
