"""A network that was trained on images of other statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.networks.staged import StagedNetwork


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of every channel, pixels in [0, 1]."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot normalise."""
        fine = len(self.mean) == len(self.std) > 0 and min(self.std) > 0
        numbers = f"mean {list(self.mean)}, std {list(self.std)}"
        require(fine, f"statistics are a mean and a std above 0 for every channel, not {numbers}")

    @classmethod
    def from_json(cls, content: Mapping[str, Sequence[float]]) -> Statistics:
        """What was written as JSON."""
        return cls(tuple(content["mean"]), tuple(content["std"]))


class OwnStatistics(StagedNetwork):
    """Gives ``network`` images by its own statistics, where they come by those of the data.

    Both are affine, so this is one more scale and shift before the first stage; the stages, and
    with them every cut, are those of ``network``.
    """

    def __init__(self, network: StagedNetwork, own: Statistics, data: Statistics) -> None:
        """Undo the normalisation by ``data`` and normalise by ``own``.

        Raises:
            UserError: both have not as many channels.
        """
        super().__init__(network.stage_names, family=network.family)
        channels = len(own.mean), len(data.mean)
        require(
            channels[0] == channels[1],
            f"the teacher's statistics are of {channels[0]} channels, the data has {channels[1]}",
        )
        self.network = network
        self.normalisation = Renormalisation(own, data)

    def stage_modules(self) -> dict[str, nn.Module]:
        """Every stage as a module of its own; the first one normalises."""
        (first, stage), *others = self.network.stage_modules().items()
        return {first: nn.Sequential(self.normalisation, stage), **dict(others)}

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``."""
        if start == 0 and stop != 0:
            x = self.normalisation(x)
        return self.network.run(x, start, stop)


class Renormalisation(nn.Module):
    """From images (B, C, H, W) normalised by one kind of statistics to another."""

    scale: Tensor
    shift: Tensor

    def __init__(self, own: Statistics, data: Statistics) -> None:
        """Images come by ``data`` and go by ``own``."""
        super().__init__()
        mean, std, data_mean, data_std = (
            torch.tensor(values)[:, None, None]
            for values in (own.mean, own.std, data.mean, data.std)
        )
        self.register_buffer("scale", data_std / std, persistent=False)
        self.register_buffer("shift", (data_mean - mean) / std, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift every channel."""
        return x * self.scale + self.shift
