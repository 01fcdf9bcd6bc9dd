"""Find the operations for which the host waits for its device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

BY_VALUE = {
    "aten::_local_scalar_dense",
    "aten::bincount",
    "aten::equal",
    "aten::masked_select",
    "aten::nonzero",
    "aten::one_hot",
}
"""Operations whose result is a value on the host, or has a shape that depends on values."""

CHECKED = {"aten::_linalg_eigh", "aten::_linalg_svd", "aten::linalg_eig", "aten::linalg_lstsq"}
"""Decompositions that look on the host whether they have converged."""

BY_MASK = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
MASKS = (torch.bool, torch.uint8)


class HostWaitsError(RuntimeError):
    """A step makes the host wait for the device, so that it cannot be captured."""


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Note the operations of a context for which the host would wait for a GPU.

    They are found on any device, but for copies between devices, which a CPU has not, and for
    ``tolist`` and ``numpy`` on a CPU.

    Attributes:
        found: What was found, in words, in order.
    """

    def __init__(self, *, refuse: bool = False) -> None:
        """Start with none; with ``refuse`` the first one raises `HostWaitsError`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.refuse = refuse
        self.found: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Judge one operation, and run it."""
        kwargs = kwargs or {}
        if (reason := _reason(func, args, kwargs)) is not None:
            if self.refuse:
                raise HostWaitsError(reason)
            self.found.append(reason)
        return func(*args, **kwargs)


def _reason(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:  # noqa: ANN401
    """Tell why the host would wait for ``func``; None if it would not."""
    name = str(func._schema.name)
    reasons = {
        f"{name} needs values of the device on the host": name in BY_VALUE
        or name.startswith(("aten::unique", "aten::_unique")),
        f"{name} needs its output_size": name == "aten::repeat_interleave"
        and kwargs.get("output_size") is None,
        f"{name} checks its result on the host": name in CHECKED,
        f"{name} by a mask has a shape that depends on values": name in BY_MASK
        and any(place is not None and place.dtype in MASKS for place in args[1]),
        "a tensor is made of numbers of the host": name == "aten::lift_fresh",
        f"{name} takes values from one of host and device to the other": _crosses(
            name, args, kwargs
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _crosses(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    if name == "aten::_to_copy":
        source: torch.device = args[0].device
        return torch.device(kwargs.get("device") or source).type != source.type
    copies = name in {"aten::copy_", "aten::_copy_from"}  # others take numbers of the host
    tensors = (x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor))
    return len({x.device.type for x in tensors if copies or x.dim()}) > 1
