"""The tasks that networks can learn, by name: ``TASKS[name]`` is a `Task`."""

from __future__ import annotations

from sakd.foundation.tables import Table
from sakd.tasks.base import Task
from sakd.tasks.classification import CLASSIFICATION

TASKS: Table[Task] = Table("task", {"classification": CLASSIFICATION})

__all__ = ["CLASSIFICATION", "TASKS", "Task"]
