"""Every wrong input is one line that names it, with an exit status; nothing is left behind."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from bad_input import files, grids, layouts, parameters, pictures
from bad_input.case import Case
from sakd.command.main import main

KINDS = (parameters, files, grids, layouts, pictures)
TABLE = {module.__name__.split(".")[-1]: module.CASES for module in KINDS}
CASES = [
    pytest.param(case, id=f"{kind}-{case.name}") for kind, cases in TABLE.items() for case in cases
]


def left(folder: Path) -> list[tuple[str, int]]:
    """The files of a project by name and size, but for who runs what."""
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return sorted((str(p), p.lstat().st_size) for p in files if ".runs." not in p.name)


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_input_is_told_and_leaves_nothing(
    case: Case, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case.make(tmp_path)
    before = left(project), left(tmp_path)
    try:
        status = main([word.replace("{here}", str(tmp_path)) for word in case.words])
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == case.status, told
    assert re.search(case.shown, told), told
    assert "Traceback" not in told
    assert told.count("\n") == case.lines, told
    assert "\x1b" not in told
    assert (left(project), left(tmp_path)) == before


def test_the_table_is_large_and_its_names_differ() -> None:
    assert len(CASES) >= 120
    names = Counter(chain.from_iterable((c.name for c in cases) for cases in TABLE.values()))
    assert [name for name, count in names.items() if count > 1] == []
