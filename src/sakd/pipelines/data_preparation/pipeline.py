"""Wiring of data preparation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.pipelines.data_preparation.nodes import prepare_data
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build one node: raw images to splits and a card."""
    name = parameters.data.slug
    node = Node(
        prepare_data,
        inputs=["params:data", f"{name}-splits"],
        outputs=[f"{name}-development", f"{name}-test", f"{name}-card"],
        name=f"prepare-{name}",
    )
    return Pipeline([node], tags=["data_preparation"])
