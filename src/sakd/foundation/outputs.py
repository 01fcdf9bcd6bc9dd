"""The outputs of a command, which whoever starts it may have closed."""

from __future__ import annotations

import os
import sys


def open_closed_outputs() -> None:
    """Open outputs that are closed to nobody, so that a command runs as if nobody read them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
