"""Parameters of a command line: each once, and those of two texts joined."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sakd import cli
from sakd.foundation.errors import UserError
from sakd.project.given import check_given_once, overridden, written
from sakd.project.options import Once


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("student.epochs=3,threads=1,student.epochs=4", "student.epochs"),
        ("threads=1, threads =1", "threads"),
        ("student={epochs: 3},student.epochs=4", "student.epochs"),
        ("student[epochs]=3,student.epochs=4", "student.epochs"),
        ("data=x,data.path=y", "data.path"),
        ("data.path=y,data=x", "data"),
        ("grid.seeds=[],grid.seeds=", "grid.seeds"),
    ],
)
def test_a_value_that_is_given_twice_is_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(UserError, match=rf"--params gives '{re.escape(name)}' twice.*leave one"):
        check_given_once("--params", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "student.epochs=3,teacher.epochs=3,",
        "student={epochs: 3},student.lr=1",
        "grid={},grid.seeds=1",
        "data.path=a=b,data.pathology=a=b",
    ],
)
def test_values_that_are_given_once_are_taken(text: str) -> None:
    check_given_once("--params", text)


def test_a_parameter_that_is_given_twice_stops_every_command_in_one_line() -> None:
    for option in ("--params", "--runner-params"):
        result = CliRunner().invoke(cli.cli, ["run", option, "is_async=true,is_async=false"])
        assert result.exit_code == 2
        assert result.output.startswith(f"Error: {option} gives 'is_async' twice")
        assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--value a --value b", "--value is given twice"),
        ("-v a --value b", "--value is given twice"),
        ("--value a --flag --flag --each a --each b name", ""),
    ],
)
def test_an_option_of_one_value_that_is_given_twice_is_refused(words: str, complaint: str) -> None:
    taken = [
        click.Option(["--value", "-v"]),
        click.Option(["--flag"], is_flag=True),
        click.Option(["--each"], multiple=True),
        click.Argument(["names"], nargs=-1),
    ]
    result = CliRunner().invoke(Once("run", params=taken), words.split())
    assert complaint in result.output
    assert result.exit_code == (2 if complaint else 0)


def test_parameters_that_two_texts_give_are_those_of_the_second() -> None:
    found = overridden("student.epochs=3,threads=1", "student.epochs = 5,device=cpu")
    assert found == "threads=1,student.epochs = 5,device=cpu"
    assert overridden("", "") == ""
    assert overridden("threads=1", "") == "threads=1"


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters=",$"), max_size=8),
)


@given(PLAIN)
def test_a_parameter_is_written_as_it_is_read(value: object) -> None:
    read = cli.run.make_context("run", ["--params", written({"a": {"b": value}, "c": 1})])
    assert read.params["params"] == {"a": {"b": value}, "c": 1}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("kd", "a=kd"),
        ("@home", 'a="@home"'),
        ("1", 'a="1"'),
        ("0+1", "a=0+1"),
        (1, "a=1"),
        (True, "a=True"),
        (None, "a=null"),
        ([], "a=[]"),
        ([0.5], "a=[0.5]"),
        ([0, 1], "a=0+1"),
        ({"b": {}}, ""),
    ],
)
def test_signs_are_put_into_quotes_where_they_must_be(value: object, text: str) -> None:
    assert written({"a": value}) == text
