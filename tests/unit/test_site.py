"""The documentation builds as a site: every page in its navigation, every link and name found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sakd import distillers, evidence, objectives, routing, systems

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": ""}
    built = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=quiet, check=False
    )
    assert built.returncode == 0, built.stderr  # a warning is an error: strict
    return folder


def test_formulas_are_drawn_without_a_script(site):
    page = (site / "algorithm.html").read_text()
    assert page.count("<math") > 20
    assert "arithmatex" not in page
    assert re.findall(r">[^<]*\\[a-z]+[^<]*<", page) == []  # an unknown command is left as text


def test_pages_ask_for_nothing_from_elsewhere(site):
    fetched = re.compile(
        r'<(?:script|img|iframe|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]+)'
    )
    pages = list(site.rglob("*.html"))
    assert [found for page in pages for found in fetched.findall(page.read_text())] == []


def test_no_code_of_the_build_gets_into_it(site):
    assert [path.name for path in site.rglob("*.py*")] == []


def test_the_api_has_every_name_that_a_package_exports(site):
    for package in (distillers, evidence, routing, objectives, systems):
        name = package.__name__
        pages = "".join(page.read_text() for page in (site / "api").glob("*.html"))
        missing = [part for part in package.__all__ if f'id="{name}.{part}"' not in pages]
        assert missing == [], name
