"""The files of a table hold what the report shows, and the numbers behind it."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from sakd.reporting import table_files
from sakd.reporting.files.latex import escaped, latex
from sakd.reporting.files.tables import frame
from sakd.reporting.pages.sections import FORMATS, Report, Tabular

HOSTILE = r"50 % of $x_1$ & {a#b} ~ ^ \input{/etc/passwd} <i> | [x] * -- -> ±"
SIGNS = {
    **{f"\\{sign}": sign for sign in "&%$#_{}"},
    **{r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^"},
    **{r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", "{''}": '"'},
    **{r"$\pm$": "±", r"$\to$": "->", "$+$": "+", "$-$": "-", "{[}": "[", "{*}": "*", "{-}": "-"},
}
TOKEN = re.compile("|".join(map(re.escape, sorted(SIGNS, key=len, reverse=True))))


@pytest.fixture(scope="module")
def files(full: Report) -> dict[str, bytes]:
    return table_files(full)


def test_every_table_is_there_in_every_format(full: Report, files: dict[str, bytes]) -> None:
    expected = {f"{table.name}.{ending}" for table in full.tables for ending in FORMATS}
    assert set(files) == expected
    assert list(FORMATS) == ["csv", "parquet", "tex"]


def test_parquet_and_csv_hold_the_text_and_the_numbers(
    full: Report, files: dict[str, bytes]
) -> None:
    for table in full.tables:
        parquet = pd.read_parquet(BytesIO(files[f"{table.name}.parquet"]))
        csv = pd.read_csv(BytesIO(files[f"{table.name}.csv"]), keep_default_na=False, dtype=str)
        values = table.frame[[]] if table.values is None else table.values
        assert list(csv) == list(parquet) == list(dict.fromkeys([*table.frame, *values]))
        pd.testing.assert_frame_equal(parquet[list(values)], values, check_dtype=False)
        for name in values:
            assert [float(value or "nan") for value in csv[name]] == pytest.approx(
                values[name].astype(float).tolist(), nan_ok=True, abs=0
            )
        for name in table.frame.columns.difference(values.columns):
            assert list(csv[name]) == list(parquet[name]) == list(table.frame[name])


def test_latex_says_what_the_report_shows(full: Report, files: dict[str, bytes]) -> None:
    for table in full.tables:
        lines = files[f"{table.name}.tex"].decode().splitlines()
        rows = [_row(line) for line in lines if line.endswith(r" \\")]
        shown = table.frame.astype(str).map(lambda text: " ".join(text.split()))
        texts = [list(map(str, shown.columns)), *shown.to_numpy().tolist()]
        assert [[cell if cell != "--" else "-" for cell in row] for row in rows] == texts


def _row(line: str) -> list[str]:
    cells = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
    return [TOKEN.sub(lambda sign: SIGNS[sign[0]], cell) for cell in cells]


def test_text_from_data_is_no_latex() -> None:
    assert _row(escaped(HOSTILE) + r" \\") == [HOSTILE]
    bare = TOKEN.sub("", escaped(HOSTILE))
    assert not set(bare) & set(r"\{}$&#^_~%[*")


def test_a_caption_of_two_lines_stays_a_comment() -> None:
    table = Tabular("x", "first\n\\input{second}", pd.DataFrame({"a": ["1"]}))
    head, _, _ = latex(table).partition(r"\begin{tabular}")
    assert all(line.startswith("% ") for line in head.splitlines())


def test_the_numbers_of_a_line_are_plain(full: Report) -> None:
    (table,) = (t for t in full.tables if t.name == "adaptive_against_always-vgg13-vgg8")
    line = frame(table).iloc[0]
    assert line["points"] == f"{100 * line['mean']:+.2f}"
    assert line["95 % interval"] == f"[{100 * line['low']:+.2f}, {100 * line['high']:+.2f}]"
    assert line["seeds"] == str(line["n"])


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
def test_latex_compiles(full: Report, files: dict[str, bytes], tmp_path: Path) -> None:
    hostile = Tabular("hostile", HOSTILE, pd.DataFrame({HOSTILE: [HOSTILE, "[1]", "*"]}))
    names = [f"{table.name}.tex" for table in full.tables]
    for name in names:
        (tmp_path / name).write_bytes(files[name])
    (tmp_path / "hostile.tex").write_text(latex(hostile))
    inputs = "\n\n".join(f"\\input{{{name}}}" for name in [*names, "hostile.tex"])
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
    (tmp_path / "all.tex").write_text(f"{head}\n{inputs}\n\\end{{document}}\n")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:]
