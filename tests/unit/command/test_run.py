"""``sakd run`` is ``kedro run``: the same options, lines and exit statuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sakd.command.main import main
from sakd.project.parameters import activate

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    yield
    activate(None)


def test_the_help_is_that_of_kedro_under_the_name_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["run", "--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: sakd run [OPTIONS]")
    assert "--pipelines" in shown
