"""The page of systems lists what the code has."""

from __future__ import annotations

from pathlib import Path

from sakd.command.listing import systems

PAGE = Path(__file__).parents[2] / "docs" / "systems.md"


def test_the_table_is_that_of_the_code() -> None:
    expected = [
        f"| `{name}` | {partner} | {policies} | {settings} |"
        for name, partner, _images, policies, settings, *_ in systems()[1:]
    ]
    lines = PAGE.read_text().splitlines()
    table = lines[lines.index("|---|---|---|---|") + 1 :]
    found = table[: table.index("")]
    assert found == expected, "write these lines:\n" + "\n".join(expected)
