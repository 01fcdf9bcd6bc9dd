"""Recommend the student to ship, under a budget; it is chosen on val and reported on test."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from sakd.command.folders import REPORT_AGAIN, data_folder, latest_report
from sakd.command.parser import Parser
from sakd.foundation.errors import require
from sakd.foundation.frames import read_sealed_table
from sakd.reporting.pages.shipping import recommendation
from sakd.reporting.tables.candidates import FILE, LATENCY, MACS, PARAMETERS, candidates
from sakd.reporting.tables.choice import choose
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.outcomes import MARGIN

TIMES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}


def run(arguments: Sequence[str]) -> None:
    """Print the recommendation from the results of the latest report.

    Raises:
        UserError: There are no results, nothing fits the budget, or an amount is wrong.
    """
    given = _parser().parse_args(arguments)
    file = latest_report(given.data, given.dataset).with_name("results.csv")
    require(file.is_file(), f"{file} is missing: make it again with sakd run --pipelines report")
    cells = prepared(read_sealed_table(file, REPORT_AGAIN))
    limits = {name: getattr(given, name) for name in (PARAMETERS, MACS, LATENCY, FILE)}
    budget = {name: limit for name, limit in limits.items() if limit is not None}
    margin = given.margin / 100
    choice = choose(candidates(cells), margin, budget)
    weights = cells.set_index("cell").get("weights", pd.Series(dtype=str)).get(choice.best.cell, "")
    sys.stdout.write(recommendation(choice, margin, str(weights)))


def _parser() -> Parser:
    parser = Parser("best", __doc__)
    parser.add_argument("dataset", nargs="?", help="the dataset of the report; the latest without")
    for option, name, example, unit, help_ in (
        ("--max-params", PARAMETERS, "100k", "", "the most parameters"),
        ("--max-macs", MACS, "5M", "", "the most multiplications with an addition for an image"),
        ("--max-latency", LATENCY, "2ms", "ms", "the median time of an image by itself"),
        ("--max-size", FILE, "300kB", "B", "the size of the file of weights"),
    ):
        parser.add_argument(
            option, dest=name, type=_amount(unit, example), metavar=example, help=help_
        )
    parser.add_argument(
        "--margin",
        type=_amount("", "0.5"),
        default=100 * MARGIN,
        metavar="POINTS",
        help="the difference in accuracy that does not matter (%(default)s)",
    )
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of all data")
    return parser


def _amount(unit: str, example: str) -> Callable[[str], float]:
    """Read numbers such as ``100k``, with or without ``unit`` after them."""

    def read(text: str) -> float:
        found = re.fullmatch(rf"(\d+(?:\.\d+)?|\.\d+)([kMG]?)(?:{unit})?", text)
        if found is None or float(found[1]) == 0:
            message = f"{text!r} is not an amount above 0; write it as {example}"
            raise argparse.ArgumentTypeError(message)
        return float(found[1]) * TIMES[found[2]]

    return read
