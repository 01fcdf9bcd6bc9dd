"""Tables, figures and pages from the results of a run: frames in, text and figures out."""

from __future__ import annotations

from sakd.reporting.figures.gain import gains
from sakd.reporting.figures.gates import gate_rates
from sakd.reporting.figures.learning import learning_curves
from sakd.reporting.files.metrics import metric_files
from sakd.reporting.files.pictures import picture_files
from sakd.reporting.files.tables import table_files
from sakd.reporting.pages.content import report
from sakd.reporting.pages.html import report_html
from sakd.reporting.pages.markdown import report_markdown
from sakd.reporting.pages.origin import Origin
from sakd.reporting.pages.routing import Routing
from sakd.reporting.pages.study import outline
from sakd.reporting.pages.terminal import console_table
from sakd.reporting.tables.caveats import caveats, collapsed_policies
from sakd.reporting.tables.paired import paired_differences, policy_comparison
from sakd.reporting.tables.reference import reference_rows, selection_rows
from sakd.reporting.tables.summary import summary

__all__ = [
    "Origin",
    "Routing",
    "caveats",
    "collapsed_policies",
    "console_table",
    "gains",
    "gate_rates",
    "learning_curves",
    "metric_files",
    "outline",
    "paired_differences",
    "picture_files",
    "policy_comparison",
    "reference_rows",
    "report",
    "report_html",
    "report_markdown",
    "selection_rows",
    "summary",
    "table_files",
]
