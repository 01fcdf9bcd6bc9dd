"""How the report judges a study."""

from __future__ import annotations

from dataclasses import dataclass

from sakd.foundation.errors import require
from sakd.foundation.vocabulary import Published


@dataclass(frozen=True)
class Judgement:
    """How differences are judged in the report.

    Attributes:
        margin: The difference in accuracy that does not matter, in percentage points. "No
            difference larger than d" is said of a d of up to this.
        published: The published accuracies with which the report compares the study; None for none.
    """

    margin: float = 0.5
    published: Published | None = None

    def __post_init__(self) -> None:
        """Check the margin."""
        require(self.margin > 0, f"report.margin must be above 0 points, got {self.margin}")
