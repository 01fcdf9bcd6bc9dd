"""List what a study can be made of, and show where the spots of a network are."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from sakd.command.listing import LISTINGS, aligned
from sakd.command.spots import spots
from sakd.foundation.errors import UserError
from sakd.networks.outside.names import FORMS
from sakd.study.networks import sketch

Shape = tuple[int, int, int]


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong command in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print after the usage.

        Raises:
            UserError: Always.
        """
        raise UserError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 1 for what the user can mend."""
    try:
        given = parser().parse_args(arguments)
        sys.stdout.write(given.run(given))
    except UserError as error:
        sys.stderr.write(f"sakd: {error}\n")
        return 1
    return 0


def parser() -> Parser:
    """Describe the commands and their options."""
    top = Parser(prog="sakd", description=__doc__, allow_abbrev=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="names, sources, defaults")
    listing.add_argument("what", help="distillers, networks, policies or datasets")
    listing.set_defaults(run=_list)

    spotting = commands.add_parser("spots", help="the stages of a network, and its spots")
    spotting.add_argument("network", help="a name of the zoo, or " + FORMS)
    spotting.add_argument("--input", type=_shape, default=(3, 32, 32), metavar="3x224x224")
    spotting.add_argument("--classes", type=_count, default=10, metavar="K")
    spotting.set_defaults(run=_spots)
    return top


def _list(given: argparse.Namespace) -> str:
    return LISTINGS[given.what].text()


def _spots(given: argparse.Namespace) -> str:
    network = sketch(given.network, given.classes, given.input)
    count = sum(parameter.numel() for parameter in network.parameters())
    head = f"{given.network}: {network.family}, {count:,} parameters\n"
    return head + aligned(spots(network, given.classes, given.input))


def _shape(text: str) -> Shape:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write CxHxW, as in 3x224x224")
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of classes; write 1 or more")
    return int(text)
