"""Wiring of the report."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.config import Settings
from sakd.networks.names import slug
from sakd.pipelines.report.nodes import announce, draw, tabulate, write


def create_pipeline(settings: Settings) -> Pipeline:
    """Tables, figures and pages; then the table on the terminal."""
    data = settings.data.label
    accuracies = [f"{data}-{slug(network)}-accuracy" for network in settings.grid.teachers()]
    nodes = [
        Node(tabulate, ["evaluation", *accuracies], ["results", "summary"], name="tabulate"),
        Node(draw, ["results", "history"], ["learning_curves", "gate_rates", "gains"], name="draw"),
        Node(
            write,
            ["results", "history", f"{data}-card", "parameters"],
            ["report_md", "report_html"],
            name="write",
        ),
        Node(announce, ["results", "report_md", "report_html"], None, name="announce"),
    ]
    return Pipeline(nodes, tags=["report"])
