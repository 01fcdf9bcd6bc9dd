"""The golden values of further systems are all compared, and their README says by what."""

from __future__ import annotations

import re

from conformance import (
    test_amalgamation,
    test_data_free,
    test_few_images,
    test_from_itself,
    test_from_many,
    test_in_steps,
    test_with_others,
)
from conformance.comparison import GOLDEN, golden, names
from conformance.survey.table import SURVEY

ROW = re.compile(r"^\| (\w+/[\w.]+) \| (.+) \|$", re.MULTILINE)
TABLES = test_from_itself, test_from_many, test_in_steps, test_with_others
"""Tests of ways of learning that have a table of comparisons; those of others are functions."""
FUNCTIONS = test_amalgamation, test_data_free, test_few_images
SHARED = {"many", "steps", "amalgamation"}
"""Files of several ways of learning, whose cases are named by these."""


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


def ways() -> set[str]:
    """Name the cases of ways of learning, without the inputs that several of them share."""
    found = set()
    for file in names("systems"):
        for key in golden(f"systems/{file}"):
            parts = key.split("/")
            if file not in SHARED:
                found.add(f"{file}/{parts[0]}")
            elif len(parts) > 2:
                found.add("/".join(parts[:2]))
    return found


def comparisons() -> set[str]:
    """Name the comparisons of ways of learning."""
    tables = {name for module in TABLES for name in vars(module)["COMPARISONS"]}
    functions = {name for module in FUNCTIONS for name in vars(module) if name.startswith("test_")}
    return tables | functions


def test_every_case_that_is_kept_has_a_row_with_its_comparisons() -> None:
    compared = rows("Those that are kept")
    assert set(compared) == kept()
    named = {name for cell in compared.values() for name in cell.split(", ")}
    assert named == set(SURVEY)


def test_every_case_of_a_way_of_learning_has_a_row_with_its_comparison() -> None:
    compared = rows("Every case that is kept")
    assert set(compared) == ways()
    assert set(compared.values()) == comparisons()


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
