"""Documents: terminal, Markdown, HTML."""

from __future__ import annotations
