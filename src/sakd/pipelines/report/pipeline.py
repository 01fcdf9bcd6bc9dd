"""Wiring of the report."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.report.nodes import announce, draw, tabulate, write
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Tables, figures and pages; then the table on the terminal."""
    data = parameters.data.slug
    results, history = f"{data}-results", f"{data}-history"
    accuracies = [f"{data}-{slug(network)}-accuracy" for network in parameters.grid.teachers()]
    figures = [f"{data}-{name}" for name in ("learning_curves", "gate_rates", "gains")]
    pages = [f"{data}-{name}" for name in ("report_md", "report_html")]
    nodes = [
        Node(
            tabulate,
            ["parameters", f"{data}-evaluation", *accuracies],
            [results, f"{data}-summary"],
            name="tabulate",
        ),
        Node(draw, [results, history], figures, name="draw"),
        Node(write, [results, history, f"{data}-card", "parameters"], pages, name="write"),
        Node(announce, [results, f"{data}-card", *pages], None, name="announce"),
    ]
    return Pipeline(nodes, tags=["report"])
