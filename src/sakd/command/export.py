"""Export a finished network as a folder that other programs can use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sakd.command.model import add_model, chosen_model
from sakd.command.parser import Parser
from sakd.deployment.export_options import FORMATS, Export
from sakd.deployment.exporting import default_folder, export


def run(arguments: Sequence[str]) -> None:
    """Write the folder, and print how far its programs are from the network.

    Raises:
        UserError: There is no such model, or it cannot be exported so.
    """
    given = _parser().parse_args(arguments)
    how = Export(
        formats=() if given.formats == "none" else tuple(given.formats.split("+")),
        inside=given.inside,
        int8=given.int8,
        license=given.license,
        primary=given.primary,
        images=given.images,
    )
    found, model = chosen_model(given)
    to = given.to or default_folder(found)
    lines = export(found, model, to, how)
    sys.stdout.write("".join(f"{line}\n" for line in (*lines, to)))


def _parser() -> Parser:
    parser = Parser("export", __doc__)
    add_model(parser)
    parser.add_argument("--to", type=Path, metavar="DIR", help="the folder to write")
    every = "+".join(FORMATS)
    parser.add_argument("--formats", default=every, help=f"programs: {every} (default), or none")
    parser.add_argument(
        "--inside", action="store_true", help="let the programs take pixels and normalise them"
    )
    parser.add_argument(
        "--int8", choices=("dynamic", "static"), help="add a program in ONNX with 8-bit numbers"
    )
    parser.add_argument("--license", default="unknown", help="the licence that the card states")
    parser.add_argument("--primary", type=Path, metavar="DIR", help="prepared data, for --int8")
    parser.add_argument("--images", type=Path, metavar="DIR", help="streamed images, for --int8")
    return parser
