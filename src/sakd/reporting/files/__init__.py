"""The files that stand next to the pages of a report: every table and every picture."""

from __future__ import annotations
