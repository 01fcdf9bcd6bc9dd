"""Names in a table of results are shown, never imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sakd.reporting import console_table, gains, report, report_html, report_markdown, summary

CODE = "import pathlib\npathlib.Path('sprung').touch()\nclass Kind: trained = True\n"


def test_a_name_of_code_in_the_results_is_text(
    results: pd.DataFrame,
    history: Callable[[pd.DataFrame], pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "springs.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"kd": "springs:Kind", "adaptive": "springs:Kind", "t": "springs:Kind"}
    named = results.replace(names)
    content = report(named, history(named))
    pages = report_html(content), report_markdown(content), console_table(named)
    assert all("springs:Kind" in page for page in pages)
    summary(named), gains(named)
    assert not Path("sprung").exists()
