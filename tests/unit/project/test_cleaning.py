"""``sakd clean`` removes nothing where it does not know what is in use, and asks before."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.foundation.errors import UserError
from sakd.project import cleaning

Capture = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("bare")


def test_an_empty_store_has_nothing_to_remove(capsys: Capture) -> None:
    assert main(["clean", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("nothing to remove: there are no trainings in ")


def test_nothing_is_removed_while_it_is_not_known_what_the_grid_uses(
    bare: Path, capsys: Capture
) -> None:
    folder = bare / "data/06_models/digits/cells/row/cell/0123456789ab"
    folder.mkdir(parents=True)
    assert main(["clean", "--yes"]) == 1
    written = capsys.readouterr().err
    assert "digits_s0 is not prepared here" in written
    assert "--pipelines data_preparation" in written
    assert written.count("\n") == 1
    assert folder.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--older-than -1", "'--older-than'"),
        ("--env smok", "unknown environment 'smok'; did you mean 'smoke'"),
        ("--dryrun", "No such option '--dryrun'"),
    ],
)
def test_a_wrong_option_is_one_line(options: str, words: str, capsys: Capture) -> None:
    assert main(["clean", *options.split()]) == 1
    written = capsys.readouterr().err
    assert words in written
    assert written.count("\n") == 1


def test_where_nobody_can_be_asked_the_options_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UserError, match=r"nobody is there to ask.*--yes.*--dry-run"):
        cleaning._agreed(3)
