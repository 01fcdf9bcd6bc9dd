"""What a stage gives before the rectifier that closes it."""

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
    """Watches a piece of a forward pass, and knows whether a rectifier ends it.

    It does if the output is the very tensor that the last rectifier gave, not written to since:
    so it holds for modules, functions and methods alike, and nothing need be declared. A sum, a
    concatenation or a shuffle of what was rectified ends in no rectifier.

        with RectifierWatch() as watch:
            output = piece(x)
        watch.before(output)
    """

    def __init__(self) -> None:
        """Have seen nothing yet."""
        super().__init__()
        self._last: tuple[Tensor, Tensor, int] | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever torch's functions return
        """Call ``func``; of a rectifier, remember what went in and what came out."""
        kwargs = kwargs or {}
        if func not in RECTIFIERS:
            return func(*args, **kwargs)
        before: Tensor = args[0] if args else kwargs["input"]
        if _in_place(func, args, kwargs):
            before = before.clone()
        after: Tensor = func(*args, **kwargs)
        self._last = before, after, after._version
        return after

    def before(self, output: Tensor) -> Tensor:
        """``output`` as it was before the rectifier that ends the piece, if one does."""
        if self._last is None:
            return output
        before, after, version = self._last
        return before if after is output and output._version == version else output


def _in_place(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    asked = kwargs.get("inplace", False) or any(value is True for value in args[1:])
    return asked or func.__name__.endswith("_")
