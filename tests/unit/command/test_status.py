"""`sakd status` collects no garbage from its start on."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from sakd.command import status


def test_no_garbage_is_collected_while_the_trainings_of_a_study_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collected: list[bool] = []
    main = SimpleNamespace(main=lambda _: collected.append(gc.isenabled()))
    monkeypatch.setattr(status, "project", lambda _: main)
    assert gc.isenabled()
    status.run([])
    assert collected == [False]
