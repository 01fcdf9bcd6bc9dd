"""Text of others cannot break a line, or control the terminal."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakd.command.listing import aligned
from sakd.foundation.console import ConsoleHandler
from sakd.foundation.errors import DamagedError, UserError
from sakd.foundation.tables import UnknownNameError
from sakd.foundation.text import printable

CODES = "\x1b[2J\x07\x9b\ud800"


@given(st.text())
def test_any_text_is_a_line_that_can_be_written(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in shown)
    shown.encode()


def test_other_text_stays_as_it_is() -> None:
    assert printable("é 漢  a | b") == "é 漢  a | b"


@pytest.mark.parametrize("kind", [UserError, DamagedError, UnknownNameError])
def test_messages_for_users_are_printable(kind: type[UserError]) -> None:
    assert str(kind(f"no {CODES}\nhere")) == r"no \x1b[2J\x07\x9b\ud800 here"


def test_tables_are_printable() -> None:
    name = r"x\x1b[2J\x07\x9b\ud800"
    assert aligned([("a", "b"), (f"x{CODES}", "\n")]) == f"{'a':<{len(name)}}  b\n{name}\n"


def test_the_log_keeps_its_lines_and_no_codes(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, f"a{CODES}\nb", (), None)
    ConsoleHandler().emit(record)
    assert capsys.readouterr().out == "a\\x1b[2J\\x07\\x9b\\ud800\nb\n"
