"""Watch the layers of a network as they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from torch import Tensor, nn

from sakd.networks.staged import StagedNetwork, probe


class Layer(NamedTuple):
    """A layer with weights of its own, and what it took and gave for one image."""

    name: str
    module: nn.Module
    taken: Tensor
    given: Tensor


def layers_of(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[Layer]:
    """List the layers with weights in the order in which they run.

    Args:
        network: The network.
        image_shape: The shape (C, H, W) of its images.

    Raises:
        UserError: The network cannot take such images.
    """
    found: list[Layer] = []
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if next(module.parameters(recurse=False), None) is not None:

                def note(
                    module: nn.Module, taken: tuple[Tensor, ...], given: Tensor, name: str = name
                ) -> None:
                    found.append(Layer(name, module, taken[0], given))

                hooks.callback(module.register_forward_hook(note).remove)
        probe(network, image_shape)
    return found


@contextmanager
def watched(
    network: nn.Module, name: str, watch: Callable[[Tensor], Tensor | None]
) -> Iterator[None]:
    """Show the outputs of the module called ``name`` to ``watch``, which may give others."""
    hook = network.get_submodule(name).register_forward_hook(lambda _m, _x, output: watch(output))
    try:
        yield
    finally:
        hook.remove()
