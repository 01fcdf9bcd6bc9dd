"""The examples of the page on networks hold."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.networks import check_network
from sakd.networks.outside.names import EXAMPLE

PAGE = (Path(__file__).parents[4] / "docs" / "networks.md").read_text()
COMMANDS = re.findall(r"^```\nsakd (.+)\n```", PAGE, re.MULTILINE)
SHOWN = re.findall(r"^```\n(torchvision:resnet18: .*?)```", PAGE, re.DOTALL | re.MULTILINE)
BY_HAND = "torchvision:resnet18(stages=['conv1'; 'layer1'])"
NAMES = re.findall(r"torchvision:\w+(?:\([^)]*\))", PAGE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_runs(command: str) -> None:
    assert main(shlex.split(command)) == 0


def test_the_spots_that_the_page_shows_are_those_of_its_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (shown,) = SHOWN
    main(shlex.split(COMMANDS[0]))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        line.split() for line in shown.splitlines()
    ]


@pytest.mark.parametrize("name", [*NAMES, EXAMPLE, BY_HAND])
def test_every_name_of_the_page_is_a_network(name: str) -> None:
    check_network(name)
