"""The page of public names is the code's, and the documents show no others."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api/public.md").read_text()
LISTED = {
    module: re.findall(r"`(\w+)`", names)
    for module, names in re.findall(r"^\| `([\w.]+)` \| (.*) \|$", PAGE, re.MULTILINE)
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


IMPORT = re.compile(r"^\s*from (sakd[\w.]*) import ([\w, ]+)$", re.MULTILINE)


@pytest.mark.parametrize("name", LISTED)
def test_the_public_names_are_those_that_a_package_exports(name: str) -> None:
    module = import_module(name)
    exported = getattr(module, "__all__", None) or LISTED[name]
    assert set(LISTED[name]) == set(exported)
    assert [each for each in LISTED[name] if not hasattr(module, each)] == []


def test_names_are_listed_once() -> None:
    assert all(len(names) == len(set(names)) for names in LISTED.values())


def test_documents_import_only_public_names() -> None:
    public = [getattr(import_module(module), name) for module in LISTED for name in LISTED[module]]
    found = {each for page in DOCUMENTS for each in IMPORT.findall(page.read_text())}
    shown = {(module, name) for module, names in found for name in names.split(", ")}
    assert len(shown) > 10
    private = [
        f"{module}.{name}"
        for module, name in sorted(shown)
        if not any(getattr(import_module(module), name) is each for each in public)
    ]
    assert private == []
