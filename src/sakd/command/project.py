"""The modules of the Kedro project, for commands."""

from __future__ import annotations

import logging
from importlib import import_module
from types import ModuleType


def project(name: str) -> ModuleType:
    """Import a module of ``sakd.project``; the output of a command stays free of Kedro's log.

    It is named as text: commands belong to the library, which does without Kedro.
    """
    logging.disable(logging.INFO)  # Kedro says at its import where its settings of logs are
    try:
        module = import_module(f"sakd.project.{name}")
    finally:
        logging.disable(logging.NOTSET)
    logging.getLogger("kedro").setLevel(logging.WARNING)
    return module
