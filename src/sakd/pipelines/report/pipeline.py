"""Wiring of the report."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.outside.names import slug
from sakd.pipelines.report.nodes import draw, tabulate, write
from sakd.study.parameters import Parameters


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build the nodes of tables, figures and pages."""
    data = parameters.data.slug
    results, history = f"{data}-results", f"{data}-history"
    predictions = f"{data}-predictions"
    evaluation = [f"{data}-card", f"{data}-evaluation", predictions]
    accuracies = [f"{data}-{slug(network)}-accuracy" for network in parameters.grid.teachers()]
    figures = [f"{data}-{name}" for name in ("learning_curves", "gate_rates", "gains")]
    pages = [f"{data}-{name}" for name in ("report_md", "report_html")]
    nodes = [
        Node(
            tabulate,
            ["params:study", *evaluation, *accuracies],
            [results, f"{data}-summary"],
            name="tabulate",
        ),
        Node(draw, [results, history, predictions], figures, name="draw"),
        Node(
            write,
            [results, history, predictions, f"{data}-card", "params:study", "params:origin"],
            pages,
            name="write",
        ),
    ]
    return Pipeline(nodes, tags=["report"])
