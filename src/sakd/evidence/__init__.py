"""Statistics of differences: intervals, equivalence, families of questions, planning."""

from __future__ import annotations

from sakd.evidence.crossed import Components, components
from sakd.evidence.estimate import LEVEL, Estimate
from sakd.evidence.families import holm
from sakd.evidence.planning import units_needed
from sakd.evidence.reading import Reading, read
from sakd.evidence.seeds import of_seeds

__all__ = [
    "LEVEL",
    "Components",
    "Estimate",
    "Reading",
    "components",
    "holm",
    "of_seeds",
    "read",
    "units_needed",
]
