"""Parts of a step that need not wait for one another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Wait = Callable[[], None]
"""Lets what follows wait for a part of a step."""


def at_once() -> None:
    """Wait for nothing."""


class Branches:
    """Computes the parts of a step one after the other, as a CPU does; no branch ever opens.

    Where a step is recorded for a GPU, another kind lets them overlap
    (`sakd.training.capture.lanes`). Results are the same.
    """

    def branch(self, name: str, *read: object) -> AbstractContextManager[Wait]:
        """Give the context for a part that follows on what came before, but not the reverse.

        What is computed within it is not to be read outside of it before a call of what it yields,
        or before `join`.

        Args:
            name: Names the branch, see `along`.
            read: What holds the tensors from outside that are read within the context.
        """
        return nullcontext(at_once)

    def along(self, name: str) -> AbstractContextManager[None]:
        """Give the context to go on with the branch of that ``name``, if there is one."""
        return nullcontext()

    def join(self) -> None:
        """Let what follows wait for all branches."""


IN_LINE = Branches()
