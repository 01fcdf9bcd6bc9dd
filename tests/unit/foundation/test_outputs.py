"""Commands whose outputs are closed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sakd.command.main import main


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_output_is_one_that_nobody_reads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, name, None)
    assert main(["--version"]) == 0
    assert main(["lst"]) == 1
    with getattr(sys, name) as opened:
        assert os.path.samestat(os.fstat(opened.fileno()), Path(os.devnull).stat())
