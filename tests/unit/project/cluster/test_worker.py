"""The terms on which a machine trains, and its log."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sakd.foundation.errors import UserError
from sakd.project.cluster.journal import Journal, logged_to, show
from sakd.project.cluster.mark import marked
from sakd.project.cluster.worker import Terms, installed
from sakd.study.store import CellStore


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_machine_with_the_same_installed_that_sees_the_store_trains(tmp_path: Path) -> None:
    with marked(CellStore(tmp_path / "cells")) as mark:
        Terms(None, 0, mark).accept()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""  # no GPU is asked for
    assert not mark.exists()


@pytest.mark.parametrize("name", ["code", "python", "torch"])
def test_a_machine_with_another_version_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"has {name} .* instead of older: install"):
        Terms(None, 0, None, installed=installed() | {name: "older"}).accept()


def test_a_machine_that_does_not_see_the_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"does not see .* in {tmp_path}: mount"):
        Terms(None, 0, tmp_path / "mark").accept()


def test_a_machine_whose_gpus_torch_does_not_see_is_refused() -> None:
    with pytest.raises(UserError, match="torch sees none: install"):
        Terms(None, 0.5, None).accept()


def test_the_marks_of_runs_that_were_killed_are_removed(tmp_path: Path) -> None:
    with marked(CellStore(tmp_path)) as mark:
        mark.rename(gone := mark.with_name(f"{mark.name.rpartition('-')[0]}-99999999"))
    with marked(CellStore(tmp_path)):
        assert not gone.exists()


class _Actor:
    """A journal whose methods are called as those of an actor."""

    def __init__(self) -> None:
        self.journal = Journal()

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=getattr(self.journal, name))


def test_the_log_of_a_machine_is_shown_where_the_run_was_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actor, logger = _Actor(), logging.getLogger("sakd.study.train")
    with logged_to(actor, lambda value: value):
        logger.info("%s: done already", "a cell")
    logging.getLogger("sakd").propagate = True
    assert caplog.messages == []
    with caplog.at_level(logging.INFO, "sakd"):
        show(actor.journal.take())
    assert caplog.messages == ["a cell: done already"]
    assert actor.journal.take() == []
