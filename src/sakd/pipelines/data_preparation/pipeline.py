"""Wiring of data preparation."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.pipelines.data_preparation.nodes import prepare_data
from sakd.pipelines.naming import named
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build a node for every split: raw images to train, val and test, and a card."""
    nodes = [
        Node(
            prepare_data,
            inputs=[split.given("data"), f"{split.data}-splits"],
            outputs=[f"{split.data}-{name}" for name in ("development", "test", "card")],
            **named(split, "prepare"),
        )
        for split in splits_of(parameters)
    ]
    return Pipeline(nodes, tags=["data_preparation"])
