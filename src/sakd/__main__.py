"""``python -m sakd``: run a pipeline, like ``kedro run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from sakd.foundation.errors import UserError
from sakd.project.errors import check_conf


def main(arguments: Sequence[str], name: str = f"python -m {__package__}") -> None:
    """Run with the ``arguments`` of ``kedro run``; messages call the command ``name``.

    Raises:
        SystemExit: Always, with the exit status of ``kedro run``.
    """
    if not any(given.startswith(("--conf-source", "--help", "-h")) for given in arguments):
        _look_for_conf(Path.cwd())
    package = Path(__file__).parent.name
    # Imported late: it takes seconds, and logs how Kedro starts.
    import_module("kedro.framework.project").configure_project(package)
    import_module(f"{package}.cli").run(list(arguments), prog_name=name)


def _look_for_conf(here: Path) -> None:
    found = (folder / "conf" for folder in (here, *here.parents))
    try:
        check_conf(next((conf for conf in found if conf.is_dir()), here / "conf"))
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
