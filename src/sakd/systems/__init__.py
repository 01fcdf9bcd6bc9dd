"""Ways of learning beside distillation at spots: a file and a line of `SYSTEMS` for each."""

from sakd.foundation.tables import Table
from sakd.systems.base import Partner, Situation, System

SYSTEMS: Table[type[System]] = Table("system", {}, base=System)
"""The systems by name, or `package.module:Class` for one of your own."""

__all__ = ["SYSTEMS", "Partner", "Situation", "System"]
