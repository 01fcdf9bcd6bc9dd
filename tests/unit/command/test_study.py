"""The command ``sakd study``: what it runs, and what it judges."""

from __future__ import annotations

from pathlib import Path

import pytest

from sakd.command import study
from sakd.foundation.errors import UserError


class Calls:
    """What the command asked for, in the place of trainings that take hours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, finished: list[str]) -> None:
        self.given: dict[str, str] = {}
        self.judged: list[object] = []
        monkeypatch.setattr(study, "_finished", lambda given: self.given.update(given) or finished)
        monkeypatch.setattr(study, "write", lambda *args, keep: self.judged.extend([*args, keep]))


def test_everything_is_run_and_judged_on_a_fresh_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = Calls(monkeypatch, ["digits", "cifar100"])
    study.run([])
    assert calls.given == {"digits": "", "cifar100": ""}
    assert calls.judged == [study.DATA, ["digits", "cifar100"], study.DATA / "verdict.md", False]
    assert "verdict.md" in capsys.readouterr().out


def test_parameters_for_cifar100_are_added_to_those_of_the_fast_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls(monkeypatch, ["digits", "cifar100"])
    study.run(["--fast", "--cifar100", "data.path=mine", "--page", "docs/page.md"])
    assert calls.given["digits"] == study.FAST["digits"]
    assert calls.given["cifar100"] == study.FAST["cifar100"] + ",data.path=mine"
    assert calls.judged[2:] == [Path("docs/page.md"), True]


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
