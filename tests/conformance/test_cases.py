"""The golden values of further systems are all compared, and their README says by what."""

from __future__ import annotations

import re

from conformance.comparison import GOLDEN, golden, names
from conformance.survey.table import SURVEY

ROW = re.compile(r"^\| (\w+/\w+) \| (.+) \|$", re.MULTILINE)


def rows(section: str) -> dict[str, str]:
    """Read the table that follows the line that begins with ``section``."""
    text = (GOLDEN / "README.md").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"\n{section}")
    table = rest.split("\n\n")[1]
    return dict(ROW.findall(table))


def kept() -> set[str]:
    """Name the cases in the files; that of crcd begins from values without a case of their own."""
    keys = [
        (file, key.split("/")[0]) for file in names("survey") for key in golden(f"survey/{file}")
    ]
    first = re.compile(r"embed_.|\w+_init")
    return {f"{file}/{'init' if first.fullmatch(case) else case}" for file, case in keys}


def test_every_case_that_is_kept_has_a_row_with_its_comparisons() -> None:
    compared = rows("Those that are kept")
    assert set(compared) == kept()
    named = {name for cell in compared.values() for name in cell.split(", ")}
    assert named == set(SURVEY)


def test_cases_that_are_not_kept_have_a_reason() -> None:
    left_out = rows("Values of the same code bases")
    assert left_out
    assert not kept() & set(left_out)


def test_every_file_has_a_line_about_its_source() -> None:
    text = (GOLDEN / "README.md").read_text(encoding="utf-8")
    survey, systems = names("survey"), names("systems")
    assert survey
    assert systems
    for file in (*survey, *systems):
        assert f"| `{file}.npz` |" in text, file
