"""Text from data is shown literally in every format: it is no tag, formula, command or code."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
import torch
from markdown_it import MarkdownIt

from sakd.command.listing import aligned
from sakd.command.results import run as results_command
from sakd.data import DataCard
from sakd.deployment.card import ModelCard, rendered
from sakd.deployment.export_options import Export
from sakd.deployment.predicting import Answers, write_answers
from sakd.foundation.console import ConsoleHandler
from sakd.foundation.errors import UserError
from sakd.foundation.text import printable
from sakd.reporting import console_table, report, report_html, report_markdown, table_files
from sakd.reporting.files.pictures import picture_files
from sakd.reporting.pages.sections import Report

Capture = pytest.CaptureFixture[str]

TAG = "<script>alert(1)</script>"
HOSTILE = {
    "html": f"{TAG}<img src=x onerror=alert(1)>&amp;",
    "attribute": "\" onload='alert(1)'",
    "formula": "=HYPERLINK(1)",
    "minus": "-1+cmd|' /C calc'!A0",
    "at": "@SUM(1)",
    "markdown": "[a](http://x.org) ![b](c) `d` **e** _f_ ~~g~~ | h",
    "wide": "\uff1dSUM(1)",
    "heading": "# head",
    "latex": r"\input{/etc/passwd} 50 % of $x_1$ & {a#b} ~ ^",
    "template": "{{ 7 * 7 }}{% raw %}${jndi:x}",
    "codes": "a\x1b[31mred\x1b]0;title\x07\x9b1m",
    "backwards": "a\u202etxt.exe\u2066",
    "nothing": "a\u200b\ufeffb",
    "lines": "a\nb\rc\u2028d",
}
"""Names of classes, cells and files, and texts of errors."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d")


def unseen(text: str) -> list[str]:
    """The characters that are no text, apart from ends of lines."""
    return [sign for sign in text if not (sign.isprintable() or sign == "\n")]


@pytest.fixture(scope="module")
def content(
    results: pd.DataFrame, history: Callable[..., pd.DataFrame], data: Callable[..., DataCard]
) -> Report:
    """A report in which every text that comes from data is hostile."""
    every = "".join(HOSTILE.values())
    failed = results["error"].notna()
    hostile = results.assign(error=results["error"].where(~failed, every))
    card = data(
        name=every,
        classes=tuple(HOSTILE.values()),
        counts=dict.fromkeys(("train", "val", "test"), (9,) * len(HOSTILE)),
        source=every,
        notes=(every,),
        skipped=(every,),
    )
    return report(hostile, history(results), data=card)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.raw = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.raw = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self.raw else data


def shows(text: str) -> None:
    """Check that all hostile texts are there, each on one line, and nothing that is not seen."""
    flat = " ".join(text.split())
    for kind, hostile in HOSTILE.items():
        assert " ".join(printable(hostile).split()) in flat, kind
    assert unseen(text) == []


def test_in_html_it_is_text(content: Report) -> None:
    page = Elements(report_html(content))
    shows(page.text)
    assert "img" not in {tag for tag, _ in page.found}
    assert not [name for _, attributes in page.found for name in attributes if name[:2] == "on"]


def rendered_markdown(text: str) -> Elements:
    """Render Markdown with the tables and the struck text of GitHub, which has formulas too."""
    assert "$" not in re.sub(r"`[^`]*`", "", text)
    return Elements(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def test_in_markdown_it_is_text(content: Report) -> None:
    page = rendered_markdown(report_markdown(content))
    shows(page.text)
    assert not {tag for tag, _ in page.found} & {"s", "em"}
    own = {"href", "src", "alt", "style"}
    assert {name for _, attributes in page.found for name in attributes} <= own
    assert "x.org" not in str(page.found)
    assert "script" not in {tag for tag, _ in page.found}


def test_in_a_model_card_it_is_text(data: Callable[..., DataCard]) -> None:
    every = " ".join(HOSTILE.values())
    card = ModelCard(
        id=every,
        described={"network": every, "imported_from": every, "provenance": {"sakd": every}},
        data=data(source=every, notes=(every,), classes=tuple(HOSTILE.values())),
        measures={},
        sizes={"parameters": 1, "macs": 1},
        how=Export(formats=()),
        checks=(),
        int8={},
    )
    text = rendered("README.md", card=card, files={}, commands=[])
    _, head, body = text.split("---\n", 2)
    assert unseen(head) == []
    page = rendered_markdown(body)
    shows(page.text)
    assert not [tag for tag, _ in page.found if tag in ("script", "img", "a", "s")]


def test_in_csv_no_cell_is_a_formula(content: Report) -> None:
    for name, file in table_files(content).items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(file.decode())):
                texts = [cell for cell in row if not re.fullmatch(r"[-+][-+\d.,\s±%e]*", cell)]
                assert [cell for cell in texts if cell.startswith(FORMULAS)] == []
                assert unseen("".join(row)) == []


def test_in_latex_it_commands_nothing(content: Report) -> None:
    files = table_files(content).items()
    text = "".join(file.decode() for name, file in files if name.endswith(".tex"))
    known = r"\\(?:begin|end)\{tabular\}|\\(?:top|mid|bottom)rule|\\\\|\\[&%$#_{}]"
    known += (
        r"|\\text\w+\{\}|\$(?:\\pm|\\to|[-+])\$|\{(?:''|[-[*])\}|\{@\{\}[lr]+@\{\}\}| & |^% .*$"
    )
    assert set(re.sub(known, "", text, flags=re.MULTILINE)) & set("\\{}$&#^_~%") == set()
    assert unseen(text) == []


def test_in_a_picture_it_is_text(
    cell: Callable[..., dict[str, object]], history: Callable[..., pd.DataFrame]
) -> None:
    name = HOSTILE["html"] + HOSTILE["codes"] + HOSTILE["backwards"]
    cells = [cell(name, each, seed, 0.5) for each in ("always", "adaptive") for seed in (0, 1)]
    hostile = pd.DataFrame(cells)
    pictures = picture_files(report(hostile, history(hostile)))
    drawn = [ET.fromstring(file) for name, file in pictures.items() if name.endswith(".svg")]
    tags = {element.tag.rpartition("}")[2] for picture in drawn for element in picture.iter()}
    assert drawn
    assert "script" not in tags


def test_on_a_terminal_it_is_text(
    results: pd.DataFrame, data: Callable[..., DataCard], tmp_path: Path, capsys: Capture
) -> None:
    every = "".join(HOSTILE.values())
    hostile = results.assign(student=every, error=every)
    (tmp_path / "08_reporting/x").mkdir(parents=True)
    hostile.assign(key="k").to_csv(tmp_path / "08_reporting/x/results.csv", index=False)
    results_command(["--data", str(tmp_path)])
    results_command(["--data", str(tmp_path), "--csv"])
    shown = [
        console_table(hostile, data(notes=(every,))),
        aligned([tuple(HOSTILE.values())]),
        str(UserError(every)),
        capsys.readouterr().out,
    ]
    assert [unseen(text) for text in shown] == [[]] * len(shown)


def test_in_the_log_it_is_text(capsys: Capture) -> None:
    record = logging.LogRecord("sakd", logging.INFO, "", 0, "".join(HOSTILE.values()), None, None)
    ConsoleHandler().emit(record)
    assert unseen(capsys.readouterr().out) == []


def test_answers_are_no_formulas(tmp_path: Path) -> None:
    names = [name for name in HOSTILE.values() if "\n" not in name]
    chances = torch.eye(len(names))
    answers = Answers([Path(name) for name in names], chances, [])
    write_answers(answers, names, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    for row in csv.reader(io.StringIO(text)):
        assert [cell for cell in row if cell.startswith(FORMULAS)] == []
    assert unseen(text) == []
