"""Words in records and results that several parts of the project read."""

from __future__ import annotations

from typing import Literal

DONE, FAILED = "done", "failed"
"""The status of a cell: it ran to its end, or an error stopped it."""

NONE = "none"
"""The distiller and the policy of a network that is trained alone."""

Published = Literal["sakd-cifar100", "sakd-tiny_imagenet"]
"""Published tables with a protocol, by which a study can be trained and compared with them."""
