"""Features as they are before the rectifier that closes their stage or opens the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

RECTIFIERS = frozenset(
    {
        *(F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_),
        *(F.relu6, F.hardtanh),  # nn.ReLU6 is written as the latter
    }
)


class RectifierWatch(TorchFunctionMode):
    """Watches a piece of a forward pass, and finds the rectifiers that close and open it.

        with RectifierWatch(x) as watch:
            output = piece(x)
        watch.before(output)

    A rectifier closes the piece if the output is the very tensor that it returned, not written
    to since. This holds for modules, functions and methods alike, and nothing need be declared.
    A sum, a concatenation or a shuffle of rectified tensors is not closed by a rectifier. A
    rectifier opens the piece if its input is the batch norm of the piece's very input, as in a
    pre-activation block.

    Attributes:
        opening: The input of the rectifier that opens the piece; None without one.
    """

    def __init__(self, entry: Tensor) -> None:
        """Watch the piece whose input is ``entry``."""
        super().__init__()
        self.opening: Tensor | None = None
        self._entry = entry
        self._normed: Tensor | None = None
        self._last: tuple[Tensor, Tensor, int] | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever torch's functions return
        """Call ``func``; remember the input and the output of a rectifier."""
        kwargs = kwargs or {}
        before: Any = args[0] if args else kwargs.get("input")
        if func is F.batch_norm and before is self._entry:
            self._normed = func(*args, **kwargs)
            return self._normed
        if func not in RECTIFIERS or (func is F.hardtanh and not _from_zero(args, kwargs)):
            return func(*args, **kwargs)
        opens = before is self._normed
        if _in_place(func, args, kwargs):
            before = before.clone()
        if opens:
            self.opening = before
        after: Tensor = func(*args, **kwargs)
        self._last = before, after, after._version
        return after

    def before(self, output: Tensor) -> Tensor:
        """Return ``output`` as it was before the rectifier that closes the piece, if any."""
        if self._last is None:
            return output
        before, after, version = self._last
        return before if after is output and output._version == version else output


def _from_zero(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a hard tanh is a capped rectifier."""
    return bool((args[1] if len(args) > 1 else kwargs.get("min_val")) == 0)


def _in_place(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    asked = kwargs.get("inplace", False) or any(value is True for value in args[1:])
    return asked or func.__name__.endswith("_")
