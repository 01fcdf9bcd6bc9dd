"""The pages show commands and options that there are."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.command.table import COMMANDS

CALL = re.compile(rf"(?:^|`|\$ |/)sakd ({'|'.join(COMMANDS)})\b([^`|]*)", re.MULTILINE)
OPTION = re.compile(r"(?<!\S)--[a-z][\w-]*")


def shown(root: Path) -> dict[str, set[str]]:
    """Collect the options of every command that README and pages show."""
    found: dict[str, set[str]] = {}
    for page in (root / "README.md", *(root / "docs").glob("*.md")):
        for command, rest in CALL.findall(page.read_text()):
            own = rest.split("\n")[0].partition(" -- ")[0]  # what follows is for another command
            found.setdefault(command, set()).update(OPTION.findall(own))
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_options_that_pages_show(
    command: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = shown(root)[command]
    with suppress(SystemExit):  # argparse exits by itself
        main([command, "--help"])
    assert options <= set(OPTION.findall(capsys.readouterr().out))
