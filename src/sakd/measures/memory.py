"""The memory of a forward pass, counted tensor by tensor."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are alive at one time, while it is entered.

    Every storage counts once, however many tensors view it. The memory in which a kernel works is
    not seen, so the count is the same on every device.

    Attributes:
        peak: The most bytes so far.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        """Begin with ``tensors``, which are alive already."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._alive: dict[int, weakref.ref[Any]] = {}
        self._bytes = self.peak = 0
        for tensor in tensors:
            self._see(tensor)

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Run an operation and count what it makes."""
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor):
                self._see(leaf)
        return made

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return

        def forget(_: object) -> None:
            del self._alive[key]
            self._bytes -= size

        self._alive[key] = weakref.ref(storage, forget)
        self._bytes += size
        self.peak = max(self.peak, self._bytes)
