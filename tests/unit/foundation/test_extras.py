"""Packages of extras: the table agrees with the project's file, and a missing one is one line."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.command.table import COMMANDS
from sakd.data import open_dataset
from sakd.data.sources.parquet_files import find_columns
from sakd.distillers.parts.matching import Groups
from sakd.foundation.errors import UserError
from sakd.foundation.extras import EXTRAS, from_extra, require_extra

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
IMPORTED = {"scikit-learn": "sklearn"}
"""Packages that are imported by another name than that under which they are installed."""
TOOLS = {"dev", "docs"}
"""Extras that no code of the library needs."""


def packages(requirements: list[str]) -> set[str]:
    """The packages that are required, as they are imported; those of extras of ours included."""
    found: set[str] = set()
    for requirement in requirements:
        name = re.match(r"[\w-]+", requirement)[0]
        inner = re.search(r"\[(.*)\]", requirement)
        if name == PROJECT["name"]:
            found |= {p for extra in inner[1].split(",") for p in extra_packages(extra.strip())}
        else:
            found.add(IMPORTED.get(name, name.replace("-", "_")))
    return found


def extra_packages(extra: str) -> set[str]:
    return packages(PROJECT["optional-dependencies"][extra])


def test_the_table_has_the_extras_of_the_project() -> None:
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - TOOLS


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_has_the_packages_that_the_table_says(extra: str) -> None:
    assert set(EXTRAS[extra]) == extra_packages(extra)


def test_a_package_of_an_extra_is_not_required_without_it() -> None:
    assert not {name for each in EXTRAS.values() for name in each} & packages(
        PROJECT["dependencies"]
    )


def test_the_extras_of_commands_exist() -> None:
    assert {entry.extra for entry in COMMANDS.values()} - {None} <= set(EXTRAS)


def test_all_packages_that_are_missing_are_named_with_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sakd.foundation.extras.find_spec", {"scipy": True, "pandas": True}.get)
    with pytest.raises(UserError, match=r"^matplotlib, plotly, tabulate are .*sakd\[report\]"):
        require_extra("report")
    require_extra("scipy")


def test_a_module_of_an_extra_is_imported_or_its_package_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert from_extra("scipy", "scipy.special").__name__ == "scipy.special"
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(UserError, match=r"^plotly is .*sakd\[report\]"):
        from_extra("report", "plotly.graph_objects")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        from_extra("scipy", "scipy.no_such_module")


def use_digits() -> None:
    open_dataset("digits").check()


def use_parquet() -> None:
    find_columns(Path("train.parquet"))


def use_mgd() -> None:
    Groups(4, 8, sparse=False)


@pytest.mark.parametrize(
    ("use", "package", "extra"),
    [
        (use_digits, "sklearn", "data"),
        (use_parquet, "pyarrow", "data"),
        (use_mgd, "scipy", "scipy"),
    ],
)
def test_what_needs_an_extra_says_so_before_any_work(
    use: Callable[[], None], package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"^{package} is .*sakd\[{extra}\]"):
        use()


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [("run", "kedro", "project"), ("clean", "kedro", "project"), ("best", "pandas", "report")],
)
def test_a_command_without_its_extra_ends_in_one_line(
    command: str,
    package: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert said == f'sakd: {package} is not installed: pip install "sakd[{extra}]"\n'
