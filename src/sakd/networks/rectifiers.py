"""What a stage gives before the rectifier that closes it, or begins the next one."""

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
    """Watches a piece of a forward pass, and knows whether a rectifier ends or begins it.

    One ends it if the output is the very tensor that the last rectifier gave, not written to
    since: so it holds for modules, functions and methods alike, and nothing need be declared. A
    sum, a concatenation or a shuffle of what was rectified ends in no rectifier. One begins it if
    it takes the batch norm of the very input, as a pre-activation block does.

        with RectifierWatch(x) as watch:
            output = piece(x)
        watch.before(output)

    Attributes:
        opening: what the rectifier took that begins the piece; None if none does.
    """

    def __init__(self, entry: Tensor) -> None:
        """Have seen nothing yet of the piece whose input is ``entry``."""
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
        """Call ``func``; of a rectifier, remember what went in and what came out."""
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
        """``output`` as it was before the rectifier that ends the piece, if one does."""
        if self._last is None:
            return output
        before, after, version = self._last
        return before if after is output and output._version == version else output


def _from_zero(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a hard tanh is a rectifier that is capped."""
    return bool((args[1] if len(args) > 1 else kwargs.get("min_val")) == 0)


def _in_place(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    asked = kwargs.get("inplace", False) or any(value is True for value in args[1:])
    return asked or func.__name__.endswith("_")
