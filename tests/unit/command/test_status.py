"""`sakd status` collects no garbage meanwhile, and leaves collecting as it was."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from sakd.command import status
from sakd.foundation.errors import UserError


def test_no_garbage_is_collected_while_the_trainings_of_a_study_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collected: list[bool] = []

    def main(_arguments: object) -> None:
        collected.append(gc.isenabled())
        raise UserError("nothing is here")

    monkeypatch.setattr(status, "project", lambda _: SimpleNamespace(main=main))
    with pytest.raises(UserError):
        status.run([])
    assert (collected, gc.isenabled()) == ([False], True)
