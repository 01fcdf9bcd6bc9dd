"""List what a study can be made of, show the spots of a network, and plan a run."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib import import_module
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
        given = _parsed(parser(), arguments)
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
    listing.add_argument("what", help="distillers, networks, policies, objectives or datasets")
    listing.set_defaults(run=_list)

    spotting = commands.add_parser("spots", help="the stages of a network, and its spots")
    spotting.add_argument("network", help="a name of the zoo, or " + FORMS)
    spotting.add_argument("--input", type=_shape, default=(3, 32, 32), metavar="3x224x224")
    spotting.add_argument("--classes", type=_count, default=10, metavar="K")
    spotting.set_defaults(run=_spots)

    planning = commands.add_parser(
        "plan", help="what a run would train, and how long it takes here", add_help=False
    )
    planning.set_defaults(run=_plan, options=[])
    return top


def _parsed(top: Parser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse ``arguments``; the options of a plan are those of Kedro, and are left to it."""
    given, rest = top.parse_known_args(arguments)
    if given.run is _plan:
        given.options = rest
    elif rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    return given


def _plan(given: argparse.Namespace) -> str:
    # Named as text and imported here alone: no other command needs Kedro, or waits for it.
    import_module("sakd.project.planning").main(given.options)
    return ""


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
