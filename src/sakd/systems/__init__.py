"""Ways of learning beside distillation at spots: a file and a line of `SYSTEMS` for each."""

from typing import Any

from sakd.foundation.tables import Table
from sakd.systems.base import Partner, Situation, System
from sakd.systems.label_smoothing import LabelSmoothing

SYSTEMS: Table[type[System[Any]]] = Table(
    "system",
    {
        "label_smoothing": LabelSmoothing,
    },
    base=System,
)
"""The systems by name, or `package.module:Class` for one of your own."""

__all__ = ["SYSTEMS", "Partner", "Situation", "System"]
