"""Values that never change."""

from __future__ import annotations

from typing import Self


class Unchanging:
    """A value that never changes, so a deep copy is the value itself.

    Kedro copies the parameters of nodes deeply: thousands of objects, where a study is large.
    """

    def __deepcopy__(self, _copied: dict[int, object]) -> Self:
        """Give the value itself."""
        return self
