"""Trackers: programs that receive every epoch of every training."""

from sakd.foundation.tables import Table
from sakd.study.trackers.base import Tracked, Tracker
from sakd.study.trackers.tensorboard import TensorBoard

TRACKERS: Table[type[Tracker]] = Table("tracker", {"tensorboard": TensorBoard}, base=Tracker)
"""Every tracker by its name; another one is named ``package.module:Class``."""

__all__ = ["TRACKERS", "Tracked", "Tracker"]
