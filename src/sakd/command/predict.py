"""Classify pictures with a finished network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sakd.command.listing import Rows, aligned
from sakd.command.model import add_device, add_model, chosen_model
from sakd.command.parser import Parser
from sakd.deployment.pictures import pictures
from sakd.deployment.predicting import Answers, predict, write_answers
from sakd.foundation.errors import require
from sakd.foundation.places import check_place
from sakd.foundation.text import printable

SHOWN = 50
"""Pictures in the table of the terminal."""


def run(arguments: Sequence[str]) -> None:
    """Print a table of the most likely classes; write all probabilities to a file if asked.

    Raises:
        UserError: There is no such model, or pictures cannot be used; the others are classified.
    """
    parser = Parser("predict", __doc__)
    add_model(parser)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files, folders or patterns")
    parser.add_argument(
        "--output", type=Path, metavar="FILE.csv", help="where all probabilities are written"
    )
    add_device(parser)
    given = parser.parse_args(arguments)
    paths = pictures(given.images)
    _, model = chosen_model(given)
    if given.output is not None:
        check_place(given.output)
    answers = predict(model, paths)
    if given.output is not None:
        write_answers(answers, model.classes, given.output)
    sys.stdout.write(table(answers, model.classes) if answers.paths else "")
    for fault in answers.faults:
        sys.stderr.write(f"{printable(str(fault))}\n")
    wrong = f"{len(answers.faults):,} of {len(paths):,} pictures cannot be used"
    require(not answers.faults, f"{wrong}: replace them, or leave them out")


def table(answers: Answers, classes: Sequence[str]) -> str:
    """Show for each of the first pictures the two most likely classes, with their probabilities."""
    rows: Rows = [("file", "class", "%", "or", "%")]
    chances, tops = answers.chances.topk(min(2, len(classes)), dim=1)
    for path, *best in zip(answers.paths[:SHOWN], chances.tolist(), tops.tolist(), strict=False):
        shown = [(classes[top], f"{100 * chance:.1f}") for chance, top in zip(*best, strict=True)]
        rows.append((str(path), *(part for each in shown for part in each)))
    more = len(answers.paths) - SHOWN
    return aligned(rows) + (f"and {more:,} more, see --output\n" if more > 0 else "")
