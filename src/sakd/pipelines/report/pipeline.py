"""Wiring of the report."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from sakd.networks.variants import slug
from sakd.pipelines.naming import named
from sakd.pipelines.report.nodes import bundle, draw, join, summarise, tabulate, write
from sakd.study.parameters import Parameters
from sakd.study.splits import StudySplit, splits_of

MODULE = "report"

TABLES = ("results", "history", "predictions", "routing", "sheets")


def create_pipeline(parameters: Parameters) -> Pipeline:
    """Build the nodes of tables, figures and pages; tables of several splits are joined.

    The page shows the data card of the first split.
    """
    data, splits = parameters.data.slug, splits_of(parameters)
    results, history, predictions, *routing = tables = [f"{data}-{name}" for name in TABLES]
    measured = [results, history, predictions]
    figures = [f"{data}-{name}" for name in ("learning_curves", "gate_rates", "gains")]
    pages = [f"{data}-{name}" for name in ("report_md", "report_html", "tables", "pictures")]
    nodes = [
        *map(_tabulate, splits),
        Node(
            summarise,
            [results, predictions],
            [f"{data}-{name}" for name in ("summary", "metrics")],
            name="summarise",
            namespace=MODULE,
        ),
        Node(
            draw,
            [*measured, "params:study"],
            figures,
            name="draw",
            namespace=MODULE,
        ),
        Node(
            write,
            [*measured, f"{splits[0].data}-card", "params:study", "params:origin", *routing],
            pages,
            name="write",
            namespace=MODULE,
        ),
    ]
    if not parameters.data.shared:
        nodes += map(_bundle, splits)
        nodes.append(Node(join, [_bundled(split) for split in splits], tables, name="join"))
    return Pipeline(nodes, tags=["report"])


def _tabulate(split: StudySplit) -> Node:
    evaluation = [f"{split.data}-{name}" for name in ("card", "evaluation", "predictions")]
    teachers = split.parameters.grid.teachers()
    accuracies = [f"{split.data}-{slug(network)}-accuracy" for network in teachers]
    return Node(
        tabulate,
        [split.given("study"), *evaluation, *accuracies],
        f"{split.data}-results",
        **named(split, "evaluate", "tabulate"),
    )


def _bundle(split: StudySplit) -> Node:
    tables = {name: f"{split.data}-{name}" for name in TABLES}
    return Node(bundle, tables, _bundled(split), **named(split, "bundle"))


def _bundled(split: StudySplit) -> str:
    return f"{split.data}-measured"
