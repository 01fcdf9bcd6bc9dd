"""A staged network whose stages are modules, one after the other."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from sakd.networks.staged import StagedNetwork


class Chain(StagedNetwork):
    """Modules applied in order: how every network of the zoo is written.

    The stages are submodules by their own names, so ``stem`` holds the weights ``stem.*``.
    """

    def __init__(self, stages: Mapping[str, nn.Module], *, family: str) -> None:
        """Chain ``stages`` in their order.

        Args:
            stages: Name to module; the last one maps the embedding (B, C) to logits (B, K).
            family: The architecture's name; networks of one family count as homogeneous.
        """
        super().__init__(stages, family=family)
        for name, stage in stages.items():
            self.add_module(name, stage)

    def stage_modules(self) -> dict[str, nn.Module]:
        """Give the stages themselves."""
        return {name: self.get_submodule(name) for name in self.stage_names}

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``."""
        for name in self.stage_names[start:stop]:
            x = self.get_submodule(name)(x)
        return x
