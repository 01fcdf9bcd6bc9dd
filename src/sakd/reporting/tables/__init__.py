"""Numbers: frames, differences, summaries, caveats."""

from __future__ import annotations
