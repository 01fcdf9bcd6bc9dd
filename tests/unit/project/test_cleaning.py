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
    assert "digits_s0 is not prepared with these parameters" in written
    assert "--pipelines data_preparation" in written
    assert written.count("\n") == 1
    assert folder.exists()


@pytest.fixture
def prepared(bare: Path) -> Path:
    """A store with a training of the baseline, of a cell with a teacher, and of no cell."""
    with pytest.raises(SystemExit, match="0"):
        main(["run", "--env", "smoke", "--pipelines", "data_preparation"])
    cells = bare / "data/smoke/06_models/digits/cells"
    for name in ("none-none-s0", "kd-always-s0", "sp-always-s0"):
        folder = cells / "digits-resnet20-resnet8-s0" / f"digits-resnet20-resnet8-{name}"
        (folder / ("0123456789ab")).mkdir(parents=True)
    return cells


CLEAN = ("clean", "--env", "smoke", "--yes", "--params")


def test_cells_of_teachers_that_are_not_trained_stay_whatever_their_keys(
    prepared: Path, capsys: Capture
) -> None:
    """The baseline has no teacher, so its key is known, and is not that of the folder."""
    assert main([*CLEAN, "grid.distillers=kd,grid.policies=always"]) == 0
    written = capsys.readouterr().out
    assert "not trained yet: resnet20 of digits; of a cell that learns from them" in written
    assert "2 removed" in written
    left = {folder.parent.name for folder in prepared.glob("*/*/0123456789ab")}
    assert left == {"digits-resnet20-resnet8-kd-always-s0"}


def test_nothing_is_removed_where_the_images_are_prepared_by_other_parameters(
    prepared: Path, capsys: Capture
) -> None:
    """No teacher of this grid is trained, so that the data alone decide on its keys."""
    grid = "grid.distillers=[],grid.systems=label_smoothing,data.train_size=200"
    assert main([*CLEAN, grid]) == 1
    assert "digits is not prepared with these parameters" in capsys.readouterr().err
    assert len(list(prepared.glob("*/*/0123456789ab"))) == 3


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
