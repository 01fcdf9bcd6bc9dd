"""Write licences.md: the licence of every package that the lock file pins, as it states it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE.parent / "requirements.lock"
LONGEST = 60
HEAD = """# Licences

Of all packages that `requirements.lock` pins, in the words of their own metadata; written by `make
licences`. sakd itself is under the [MIT licence](https://spdx.org/licenses/MIT.html).

| package | licence |
|---|---|
"""


def main() -> None:
    """Write the page; a package that is not installed here keeps its line."""
    page = HERE / "licences.md"
    before = dict(
        re.findall(r"^\| (\S+) \| (.*) \|$", page.read_text() if page.exists() else "", re.M)
    )
    rows = {name: licence_of(name) or before.get(name, "not known") for name in pinned()}
    page.write_text(HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in rows.items()))
    if unknown := [name for name, licence in rows.items() if licence == "not known"]:
        sys.exit(f"look up the licence of {', '.join(unknown)}, and write it into {page}")


def pinned() -> list[str]:
    """Name the packages of the lock file."""
    return sorted(set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", LOCK.read_text(), re.MULTILINE)))


def licence_of(name: str) -> str | None:
    """Read the licence from the metadata of an installed package: expression, classifiers, text."""
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = found.get_all("Classifier") or []
    classified = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")]
    text = (found["License"] or "").strip().split("\n")[0]
    named = " or ".join(one for one in classified if one != "OSI Approved")
    short = text if text and len(text) <= LONGEST and text != "UNKNOWN" else ""
    return found["License-Expression"] or named or short or None


if __name__ == "__main__":
    main()
