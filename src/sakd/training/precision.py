"""The arithmetic in which networks run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.objectives import Objective
from sakd.training.constant import keep_cast
from sakd.training.evaluated import lay_norms_out
from sakd.training.merged import merge_norms
from sakd.training.narrow import lay_narrow_maps_out

VARIANTS = 256
"""The most forms in which one function is compiled: stages, modes and batch sizes count."""


@dataclass(frozen=True)
class Precision:
    """The arithmetic and the layout of the forward passes, those of grafts and adapters included.

    Losses, routing, the statistics of batch norms and updates are always in full precision.

    Attributes:
        autocast: The type of matrix products and convolutions; None for that of the weights.
        channels_last: Whether maps lie in memory with their channels together.
        tf32: Whether a GPU may round the factors of float32 products to 10 bits.
        compiled: Whether `torch.compile` fuses the operations of networks.
    """

    autocast: torch.dtype | None = None
    channels_last: bool = False
    tf32: bool = False
    compiled: bool = False

    @property
    def layout(self) -> tuple[bool, bool]:
        """What it changes in networks themselves, see `lay_out`, so that they serve no other."""
        return self.channels_last, self.compiled

    @contextmanager
    def applied(self, device: torch.device) -> Iterator[None]:
        """Use this precision for forward passes on ``device`` within the context."""
        with (
            self.products(device),
            torch.autocast(device.type, self.autocast, enabled=self.autocast is not None),
            self.compiling(),
        ):
            yield

    @contextmanager
    def products(self, device: torch.device) -> Iterator[None]:
        """Round float32 products on ``device`` as this precision does, in backward passes too.

        Torch itself lets a GPU round those of convolutions.
        """
        if device.type != "cuda":
            yield
            return
        before = torch.get_float32_matmul_precision()
        convolutions = torch.backends.cudnn.allow_tf32
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = self.tf32
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
            torch.backends.cudnn.allow_tf32 = convolutions

    def compiling(self) -> AbstractContextManager[object]:
        """Have no stage left uncompiled because others have been compiled before."""
        if not self.compiled:
            return nullcontext()
        from torch._dynamo import config  # noqa: PLC0415 - takes a second

        limits = {"recompile_limit": VARIANTS, "accumulated_recompile_limit": VARIANTS}
        patched: AbstractContextManager[object] = config.patch(limits)
        return patched

    def lay_out(self, module: nn.Module) -> None:
        """Lay the weights of ``module`` out as this precision has them, and compile networks."""
        frozen = module.frozen if isinstance(module, Objective) else ()
        constant = [module.get_submodule(name) for name in frozen]
        if self.channels_last:
            module.to(memory_format=torch.channels_last)
            if not self.compiled:
                self._lay_channels_last_out(module, constant)
        if self.autocast is not None:
            keep_cast(constant, self.autocast)
        if self.compiled:
            for network in module.modules():
                if isinstance(network, StagedNetwork):
                    network.compile_stages()

    def _lay_channels_last_out(self, module: nn.Module, constant: list[nn.Module]) -> None:
        lay_norms_out(module, constant)
        merge_norms(constant)
        if self.autocast is None:
            lay_narrow_maps_out(module)

    def arranged(self, objective: Objective, batch: Batch) -> Batch:
        """Give the batch that ``objective`` makes of ``batch``, laid out like any other."""
        # In a context of its own: automatic casts are kept within one, here without gradients.
        with self.applied(batch.images.device):
            arranged = objective.arrange(batch)
        return arranged if arranged is batch else self.seen(arranged)

    def seen(self, batch: Batch) -> Batch:
        """Lay the images of ``batch`` out as this precision has them."""
        if not self.channels_last:
            return batch
        images = batch.images.contiguous(memory_format=torch.channels_last)
        aside = None if batch.aside is None else self.seen(batch.aside)
        return batch._replace(images=images, aside=aside)


EXACT = Precision()
"""The precision of the weights: float32, unless the networks are of another type."""
