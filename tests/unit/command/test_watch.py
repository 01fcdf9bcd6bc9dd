"""``sakd watch``: a line for each training that runs; it writes nothing, and needs no torch."""

from __future__ import annotations

import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from sakd.command import watch
from sakd.command.main import main
from sakd.command.watch import table
from sakd.study.live import RUNNING, Live

Capture = pytest.CaptureFixture[str]

RECORD = {
    "epoch": 12.0,
    "cross_entropy": 0.31234,
    "kd": 4.0,
    "gate_rate/stage1": 0.5,
    "gate_rate/logits": 1.0,
    "val_top1": 0.9321,
}


def written(data: Path, live: Live) -> Path:
    file = data / "06_models" / "digits" / "cells" / RUNNING / f"{live.id}.json"
    live.write(file)
    return file


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    """When files and folders were written, and their sizes; reading changes neither."""
    every = {path: path.stat() for path in folder.rglob("*")}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in every.items()}


def test_running_trainings_of_all_stores_are_shown_and_nothing_is_written(
    tmp_path: Path, capsys: Capture
) -> None:
    one = written(tmp_path, Live("cell-b", "row", 12, 30, RECORD, left=83.2))
    two = written(tmp_path / "smoke", Live("cell-a", "row", 0, 4))
    before = files(tmp_path)
    assert main(["watch", "--data", str(tmp_path)]) == 0
    assert files(tmp_path) == before
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["training", "epoch", "loss", "val", "%", "left", "rates"]
    assert first.split() == ["cell-a", "0/4", "-", "-", "-", "-"]
    assert second.split()[:4] == ["cell-b", "12/30", "0.312", "93.21"]
    hours, minutes, seconds = map(int, second.split()[4].split(":"))
    assert 0 < 3600 * hours + 60 * minutes + seconds <= 84
    assert second.split()[5] == "0.50/1.00"
    assert {one, two} <= before.keys()


def test_80_columns_hold_all_but_the_last_rates() -> None:
    rates = {f"gate_rate/stage{k}": 0.25 for k in range(20)}
    live = Live("digits-resnet20-resnet8-at-random_matched-s0", "row", 12, 240, RECORD | rates, 9e3)
    shown = table([live], 80).splitlines()
    assert all(len(line) <= 80 for line in shown)
    assert "random_matched-s0  12/240  0.312  93.21  2:" in shown[1]


def test_a_training_that_was_killed_or_hangs_is_told() -> None:
    assert "stopped" in table([Live("cell", "row", 1, 2, process=2**22 + 1)], 80)
    assert "silent 1:0" in table([Live("cell", "row", 1, 2, written=time.time() - 3610)], 80)


def test_where_nothing_runs_it_says_so(tmp_path: Path, capsys: Capture) -> None:
    assert main(["watch", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing is running here\n"


def test_on_a_terminal_it_is_shown_again_and_again_until_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, waits = Console(file=StringIO(), force_terminal=True, width=80), []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        written(tmp_path, Live(f"cell-{len(waits)}", "row", 1, 2))
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch, "get_console", lambda: screen)
    monkeypatch.setattr(watch.time, "sleep", wait)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["watch", "--data", str(tmp_path), "--every", "7"]) == 0
    assert waits == [7, 7, 7]
    shown = screen.file.getvalue()
    assert [name in shown for name in ("cell-1", "cell-2", "cell-3")] == [True, True, False]


@pytest.mark.parametrize(
    ("options", "words"),
    [("--data nowhere", "there is no folder nowhere"), ("--every 0", "--every must be above 0")],
)
def test_a_wrong_option_is_one_line(options: str, words: str, capsys: Capture) -> None:
    assert main(["watch", *options.split()]) == 1
    assert words in capsys.readouterr().err


def test_it_waits_for_no_large_package(tmp_path: Path) -> None:
    code = "import sys; from sakd.command.main import main; main(sys.argv[1:]); print(*sys.modules)"
    words = [sys.executable, "-c", code, "watch", "--data", str(tmp_path)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "pandas", "kedro"} & set(shown.splitlines()[-1].split())
