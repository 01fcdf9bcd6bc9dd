"""Commit what has run to the cache and the lock file of DVC."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from sakd.project.errors import one_line

logger = logging.getLogger(__name__)


def commit(root: Path, lock: Path, targets: Sequence[str]) -> None:
    """Commit stages as they are; the log says whether that was done.

    Args:
        root: The folder of the project.
        lock: The lock file of the stages.
        targets: The stages, or the file of all of them.
    """
    name = lock.relative_to(root)
    logging.getLogger("dvc").setLevel(logging.ERROR)  # it names each file that it writes
    try:
        with chdir(root), Repo(str(root)) as repo:
            for target in targets:
                repo.commit(target, force=True)
    except DvcException as error:
        remedy = f"mend that, then `dvc commit --force {' '.join(targets)}`"
        logger.warning("%s does not know of this run: %s; %s", name, one_line(error), remedy)
    else:
        logger.info("%s knows of this run", name)
