"""Reports: tables, figures and pages from the results of a run. Frames in, text and figures out."""

from sakd.reporting.caveats import caveats, collapsed_routers
from sakd.reporting.console import console_table
from sakd.reporting.content import report
from sakd.reporting.figures import gate_rates, learning_curves
from sakd.reporting.gain import gains
from sakd.reporting.html import report_html
from sakd.reporting.markdown import report_markdown
from sakd.reporting.paired import paired_differences, policy_comparison
from sakd.reporting.reference import reference_rows, selection_rows
from sakd.reporting.summary import summary

__all__ = [
    "caveats",
    "collapsed_routers",
    "console_table",
    "gains",
    "gate_rates",
    "learning_curves",
    "paired_differences",
    "policy_comparison",
    "reference_rows",
    "report",
    "report_html",
    "report_markdown",
    "selection_rows",
    "summary",
]
