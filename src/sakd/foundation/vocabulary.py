"""Words in records and results that several parts of the project read."""

from __future__ import annotations

DONE, FAILED = "done", "failed"
"""The status of a cell: it ran to its end, or an error stopped it."""

NONE = "none"
"""The distiller and the policy of a network that is trained alone."""
