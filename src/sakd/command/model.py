"""The options of commands that take a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from sakd.command.parser import Parser
from sakd.deployment.finding import STORE, Found, find
from sakd.deployment.loading import load_found
from sakd.deployment.model import Model
from sakd.foundation.machine import resolve_device

FORMS = "the id of a cell or a teacher, its folder, an exported folder, or a .safetensors file"


def add_model(parser: Parser) -> None:
    """Add the argument ``model`` and the options that say where it lies and how it is read."""
    parser.add_argument("model", metavar="MODEL", help=FORMS)
    parser.add_argument(
        "--store", type=Path, default=STORE, help="where to look for ids: %(default)s"
    )
    parser.add_argument(
        "--epoch",
        choices=("last", "best"),
        default="last",
        help="of a cell: the last epoch (default), or the best on validation",
    )
    parser.add_argument(
        "--network", metavar="NAME", help="the name of your own network, whose code is to be run"
    )


def add_device(parser: Parser) -> None:
    """Add the option ``device``."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def chosen_model(given: argparse.Namespace) -> tuple[Found, Model]:
    """Find and load the model that the options choose, on their device if they have one.

    Raises:
        UserError: There is no such model or device, or the model cannot be used.
    """
    found = find(given.model, given.store, given.epoch)
    model = load_found(found, given.network)
    return found, model.to(resolve_device(getattr(given, "device", "cpu")))
