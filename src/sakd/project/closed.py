"""Pages of kedro-viz that reach nobody but this machine."""

from __future__ import annotations

import os
import re

FETCHED = re.compile(r"<link\s[^>]*https?://[^>]*>\s*")
"""Links of a page to files of other hosts."""


def closed(page: str) -> str:
    """Take out of a ``page`` what it would fetch from elsewhere.

    >>> closed('<title>a</title> <link href="https://fonts.example"> <link href="./style.css">')
    '<title>a</title> <link href="./style.css">'
    """
    return FETCHED.sub("", page)


def track_nobody() -> None:
    """Have kedro-viz put no script into its pages that reports what is done there.

    Without a file ``.telemetry`` in the working folder it would, unless this variable is set.
    """
    os.environ["DO_NOT_TRACK"] = "1"
