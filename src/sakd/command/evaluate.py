"""Measure a finished network on a folder of labelled pictures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sakd.command.listing import aligned
from sakd.command.model import add_device, add_model, chosen_model
from sakd.command.parser import Parser
from sakd.deployment.evaluating import evaluate
from sakd.deployment.measured import measured
from sakd.foundation.files import write_json
from sakd.foundation.places import check_place


def run(arguments: Sequence[str]) -> None:
    """Print a table of measures; write them to a file if asked.

    Raises:
        UserError: There is no such model, or the folder is not one of its classes.
    """
    parser = Parser("evaluate", __doc__)
    add_model(parser)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="a folder with one per class"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="where to write them")
    add_device(parser)
    given = parser.parse_args(arguments)
    found, model = chosen_model(given)
    if given.output is not None:
        check_place(given.output)
    images, measures = evaluate(model, given.data, measured(found, model).get("temperature"))
    if given.output is not None:
        write_json(given.output, {"images": images, **measures})
    rows = [(name, f"{value:.4f}") for name, value in measures.items()]
    sys.stdout.write(aligned([("measure", f"of {images:,} images"), *rows]))
