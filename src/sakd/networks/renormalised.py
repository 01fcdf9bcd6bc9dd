"""A network that was trained on images normalised by other statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.networks.staged import StagedNetwork


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of every channel, pixels in [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that there is a mean and a positive deviation for every channel."""
        fine = len(self.mean) == len(self.std) > 0 and min(self.std) > 0
        numbers = f"mean {list(self.mean)}, std {list(self.std)}"
        require(fine, f"statistics are a mean and a std above 0 for every channel, not {numbers}")

    @classmethod
    def from_json(cls, content: Mapping[str, Sequence[float]]) -> Statistics:
        """Read the form in which cards have them."""
        return cls(tuple(content["mean"]), tuple(content["std"]))


class OwnStatistics(StagedNetwork):
    """Re-normalises images to the statistics that ``network`` was trained with.

    Both normalisations are affine, so this is a scale and a shift before the first stage. The
    stages and all other cuts are those of ``network``.
    """

    def __init__(self, network: StagedNetwork, own: Statistics, data: Statistics) -> None:
        """Take images normalised by ``data``, give ``network`` images normalised by ``own``.

        Raises:
            UserError: The two differ in their number of channels.
        """
        super().__init__(network.stage_names, family=network.family)
        channels = len(own.mean), len(data.mean)
        require(
            channels[0] == channels[1],
            f"the teacher's statistics are of {channels[0]} channels, the data has {channels[1]}",
        )
        self.network = network
        self.normalisation = Renormalisation(own, data)

    def rest(self, stages: Collection[int]) -> None:
        """Keep ``stages`` in evaluation mode, see `StagedNetwork.rest`."""
        super().rest(stages)
        self.network.rest(stages)

    def stage_modules(self) -> dict[str, nn.Module]:
        """Give each stage as a module of its own; the first one re-normalises."""
        (first, stage), *others = self.network.stage_modules().items()
        return {first: nn.Sequential(self.normalisation, stage), **dict(others)}

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``."""
        if start == 0 and stop != 0:
            x = self.normalisation(x)
        return self.network.run(x, start, stop)


class Renormalisation(nn.Module):
    """Changes the statistics by which images (B, C, H, W) are normalised."""

    scale: Tensor
    shift: Tensor

    def __init__(self, own: Statistics, data: Statistics) -> None:
        """Take images normalised by ``data``, return them normalised by ``own``."""
        super().__init__()
        mean, std, data_mean, data_std = (
            torch.tensor(values)[:, None, None]
            for values in (own.mean, own.std, data.mean, data.std)
        )
        self.register_buffer("scale", data_std / std, persistent=False)
        self.register_buffer("shift", (data_mean - mean) / std, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift each channel of images (B, C, H, W)."""
        return x * self.scale + self.shift
