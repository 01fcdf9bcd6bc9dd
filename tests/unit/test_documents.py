"""The documents name only files and code that exist, and are wrapped."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name

from sakd import __version__

ROOT = Path(__file__).parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"  # has names of the past too
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "conf/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "tests" / "golden" / "README.md",
]
WIDTH = 120
CODE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """The text without blocks of code."""
    return CODE.sub("", page.read_text())


def test_links_lead_to_files() -> None:
    links = {
        page.parent / link
        for page in [*PAGES, CHANGELOG]
        for link in re.findall(r"\]\((?!http)([^)#]+)", prose(page))
    }
    assert links
    assert [str(link) for link in links if not link.exists()] == []


def headings(page: Path) -> set[str]:
    """Name the places of a page that links can lead to."""
    lines = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def test_links_lead_to_headings() -> None:
    links = {
        ((page.parent / file).resolve() if file else page, heading)
        for page in [*PAGES, CHANGELOG]
        for file, heading in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)", prose(page))
    }
    assert links
    assert [link for link in links if link[1] not in headings(link[0])] == []


def test_the_place_of_every_package_is_named() -> None:
    rows = re.findall(
        r"^\| (`src/sakd/.*?) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE
    )
    named = {name.rpartition("/")[2] for row in rows for name in re.findall(r"`(\S+)`", row)}
    assert named == {path.parent.name for path in (ROOT / "src/sakd").glob("*/__init__.py")}


def test_names_of_the_code_exist() -> None:
    names = {name for page in PAGES for name in re.findall(r"`(sakd(?:\.\w+)+)", prose(page))}
    assert names
    for name in names:
        resolve_name(name)


def test_paths_exist_unless_an_example_makes_them() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"`((?:src|tests|benchmarks|notebooks)/[\w./]+)`", text))
    made = set(re.findall(r"^`(src/\S+)`:$", text, re.MULTILINE))
    assert made < named
    assert [path for path in named - made if not (ROOT / path).exists()] == []


def test_prose_is_wrapped() -> None:
    free = ("|", "![")  # tables and pictures cannot be wrapped
    lines = [line for page in [*PAGES, CHANGELOG] for line in prose(page).splitlines()]
    assert [line for line in lines if len(line) > WIDTH and not line.startswith(free)] == []


def test_the_change_log_begins_with_what_is_unreleased_and_then_this_version() -> None:
    first, second = re.findall(r"^## (.*)$", CHANGELOG.read_text(), re.MULTILINE)[:2]
    assert first == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", second)


def test_every_pinned_package_has_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    without = [line for line in lock.splitlines() if " --hash=sha256:" not in line]
    assert without == []


def test_every_pinned_package_has_its_licence_listed() -> None:
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    page = (ROOT / "docs" / "licences.md").read_text()
    listed = dict(re.findall(r"^\| (\S+) \| (.*) \|$", page, re.MULTILINE))
    assert listed.pop("package") == "licence"
    assert sorted(listed) == sorted(set(pinned))
    assert "not known" not in listed.values()
