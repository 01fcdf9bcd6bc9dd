"""Show which lines and branches of src the measured tests have not run; see `make coverage`.

Of lines and of branches, each by itself, at least ``fail_under`` of pyproject.toml must have run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage

LIMIT = "report:fail_under"
SHARES = {"lines": "percent_statements_covered", "branches": "percent_branches_covered"}


def main() -> None:
    """Print the table of files and the two shares, and exit with 1 if one is too small."""
    measured = Coverage()
    measured.load()
    measured.report()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "coverage.json")
        measured.json_report(outfile=str(file))
        totals = json.loads(file.read_text())["totals"]
    shares = {name: totals[key] for name, key in SHARES.items()}
    limit = float(measured.get_option(LIMIT))
    print(", ".join(f"{name} {share:.2f} %" for name, share in shares.items()))
    if few := [name for name, share in shares.items() if share < limit]:
        sys.exit(f"coverage: too few {' and '.join(few)} were run, at least {limit:g} % must be")


if __name__ == "__main__":
    main()
