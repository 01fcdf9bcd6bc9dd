"""The command ``sakd study``: what it runs, and what it judges."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Thread

import pytest

from sakd.command import study
from sakd.foundation.errors import UserError

PATIENCE = 120
"""Seconds that a slow machine may take."""


class Calls:
    """The runs that the command asked for, in place of trainings that take hours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, finished: list[str]) -> None:
        self.given: dict[str, str] = {}
        self.judged: list[object] = []
        self.checked: list[object] = []
        monkeypatch.setattr(study, "_finished", lambda given: self.given.update(given) or finished)
        monkeypatch.setattr(study, "write", lambda *args, keep: self.judged.extend([*args, keep]))
        monkeypatch.setattr(study, "check", lambda *args, keep: self.checked.extend([*args, keep]))


def test_everything_is_run_and_judged_on_a_fresh_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = Calls(monkeypatch, ["digits", "cifar100"])
    study.run([])
    assert calls.given == {"digits": "", "cifar100": ""}
    assert calls.judged == [study.DATA, *calls.checked]
    assert calls.checked == [["digits", "cifar100"], study.DATA / "verdict.md", False]
    assert "verdict.md" in capsys.readouterr().out


def test_parameters_for_cifar100_are_added_to_those_of_the_fast_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(monkeypatch, ["digits", "cifar100"])
    study.run(["--fast", "--cifar100", "data.path=mine", "--page", "docs/page.md"])
    assert calls.given["digits"] == study.FAST["digits"]
    assert calls.given["cifar100"] == study.FAST["cifar100"] + ",data.path=mine"
    assert calls.judged[2:] == [Path("docs/page.md"), True]


def test_a_page_that_cannot_be_used_is_refused_before_anything_is_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(study, "_finished", pytest.fail)
    (tmp_path / "page.md").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match=r"page\.md is not text in UTF-8"):
        study.run(["--page", str(tmp_path / "page.md")])


def test_parameters_for_cifar100_go_before_those_of_the_fast_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(monkeypatch, ["digits", "cifar100"])
    study.run(["--fast", "--cifar100", "student.epochs=1"])
    given = calls.given["cifar100"].split(",")
    assert "student.epochs=1" in given
    assert len(given) == len(study.FAST["cifar100"].split(","))


def test_a_dataset_that_did_not_finish_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(monkeypatch, ["digits"])
    with pytest.raises(UserError, match=r"no verdict on cifar100"):
        study.run([])
    assert calls.judged[1] == ["digits"]


@pytest.mark.slow
def test_the_runs_are_processes_of_their_own_whose_failure_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # without conf, a run ends at once
    assert study._finished(dict.fromkeys(study.ENVIRONMENTS, "")) == []


def lasting(arguments: Sequence[str]) -> None:
    """Take the place of a run; leave a file when asked to end."""

    def end(*_: object) -> None:
        time.sleep(0.2)  # as a checkpoint is written
        Path(arguments[1]).touch()
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, end)
    Path(arguments[1] + "-begun").touch()
    time.sleep(PATIENCE)


def test_a_signal_that_ends_the_study_ends_its_runs_and_waits_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study.runs, "run", lasting)
    monkeypatch.setattr(study, "get_context", lambda _how: get_context("fork"))
    begun = {tmp_path / f"{environment}-begun" for environment in study.ENVIRONMENTS.values()}

    def stop() -> None:
        end = time.monotonic() + PATIENCE
        while not begun <= set(tmp_path.iterdir()) and time.monotonic() < end:
            time.sleep(0.01)
        if begun <= set(tmp_path.iterdir()):  # or it would end the tests
            os.kill(os.getpid(), signal.SIGTERM)

    stopping = Thread(target=stop)
    stopping.start()
    try:
        with pytest.raises(SystemExit) as ended:
            study._finished(dict.fromkeys(study.ENVIRONMENTS, ""))
    finally:
        for child in active_children():
            child.kill()
        stopping.join()
    assert ended.value.code == 143
    assert all((tmp_path / name).exists() for name in study.ENVIRONMENTS.values())
