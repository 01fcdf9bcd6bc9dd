"""A space of features that teachers of different classes and their student have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, normalize

from sakd.foundation.errors import require, require_not_negative
from sakd.networks.zoo.blocks import conv3x3
from sakd.objectives import Outputs
from sakd.objectives.adam import AdamOptimisation
from sakd.systems.base import Situation
from sakd.systems.parts.amalgam import BlockSettings, InBlocks, same_size

BANDWIDTHS = (1e-3, 0.01, 0.05, 0.1, 0.2, 1.0, 2.0)
"""The standard deviations of the kernels, of features of length 1."""

NEAREST = 1e-12
"""The smallest squared distance."""


@dataclass(frozen=True, kw_only=True)
class CFLSettings(BlockSettings):
    """The settings of `CFL`; the defaults are those of the authors' code.

    Attributes:
        feature_weight: The weight of the discrepancies and of the errors of the features.
        channels: The channels of the common features; twice as many are aligned before.
        block_lr: The learning rate of the layers of the common features, by Adam.
    """

    block_lr: float = 5e-4
    feature_weight: float = 10.0
    channels: int = 128

    def __post_init__(self) -> None:
        """Refuse a negative weight, and features without channels."""
        super().__post_init__()
        require_not_negative(feature_weight=self.feature_weight)
        require(self.channels >= 1, f"channels must be 1 or more, got {self.channels}")


class CFL(InBlocks[CFLSettings]):
    """Common feature learning (Luo et al., IJCAI 2019, arXiv:1906.10546), without labels.

    To `Amalgamation` it adds feature_weight (sum_m MMD(h_s, h_m) + sum_m mean (dec_m(h_m) - F_m)^2)
    of the last maps F before the embedding, where h is what all networks have in common: a 1x1
    convolution and a rectifier of each network, then three residual blocks that all share. The
    discrepancy of two batches is relu(mean k(x, x') + mean k(y, y') - 2 mean k(x, y)) of features
    scaled to length 1, with k a sum of Gaussian kernels. These layers learn along, by Adam, at a
    tenth of the rate in the second half of the epochs. Larger maps are averaged to the smallest.
    Differs from the authors' code: the student is trained by the recipe of the study, there by Adam
    at 1e-4, its head at 1e-3, from weights of ImageNet.
    """

    settings = CFLSettings
    recipe = AdamOptimisation(weight_decay=1e-4, milestones=(0.5,))

    def __init__(self, situation: Situation, settings: CFLSettings) -> None:
        """Make the layers of the common features.

        Raises:
            UserError: The classes of the teachers are not those of the student, each once; or a
                network has no map (C, H, W) before its embedding.
        """
        super().__init__(situation, settings)
        lasts = [((), *shapes)[-2] for shapes in self.shapes]
        for shape in lasts:
            require(
                len(shape) == len("CHW"),
                f"cfl compares maps (C, H, W), but before its embedding a network has {shape}: "
                "take another, or joined_kd",
            )
        self.blocks = Common([shape[0] for shape in lasts], settings.channels)
        self.weights |= dict.fromkeys(("discrepancy", "rebuild"), settings.feature_weight)

    def knowledge(self, student: Outputs, taught: Sequence[Outputs]) -> Mapping[str, Tensor]:
        """Compute the discrepancies, and the errors of giving the teachers' features back."""
        maps = same_size([outputs.features[-2] for outputs in (student, *taught)])
        (ours, *theirs), rebuilt = self.blocks(maps)
        apart = [discrepancy(ours, each) for each in theirs]
        errors = [mse_loss(made, given) for made, given in zip(rebuilt, maps[1:], strict=True)]
        return {"discrepancy": torch.stack(apart).sum(), "rebuild": torch.stack(errors).sum()}


class Common(nn.Module):
    """Maps of several networks made alike, and those of the teachers given back."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        """Make the layers.

        Args:
            widths: Channels of the student's maps, and of those of each teacher.
            channels: Of the common maps.
        """
        super().__init__()
        self.align = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, 2 * channels, 1, bias=False), nn.ReLU())
            for width in widths
        )
        self.extractor = nn.Sequential(
            Residual(2 * channels, channels),
            Residual(channels, channels),
            Residual(channels, channels),
        )
        self.dec = nn.ModuleList(
            nn.Sequential(
                conv3x3(channels, width), nn.ReLU(), nn.Conv2d(width, width, 1, bias=False)
            )
            for width in widths[1:]
        )

    def forward(self, maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Give the common maps of all networks, and the maps of the teachers made of these.

        Args:
            maps: (B, C, H, W) of the student and of each teacher, all of one size.
        """
        aligned = (align(each) for align, each in zip(self.align, maps, strict=True))
        common = [self.extractor(each) for each in aligned]
        return common, [dec(each) for dec, each in zip(self.dec, common[1:], strict=True)]


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut, without batch norms."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Map ``inputs`` to ``outputs`` channels; a 1x1 shortcut where they differ."""
        super().__init__()
        self.conv1, self.conv2 = conv3x3(inputs, outputs), conv3x3(outputs, outputs)
        same = inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W)."""
        added: Tensor = self.conv2(self.conv1(x).relu()) + self.shortcut(x)
        return added.relu()


def discrepancy(one: Tensor, other: Tensor) -> Tensor:
    """Compute the maximum mean discrepancy, a scalar, of two batches of features (B, ...)."""
    x, y = (normalize(features.flatten(1)) for features in (one, other))
    return (kernels(x, x) + kernels(y, y) - 2 * kernels(x, y)).relu()


def kernels(x: Tensor, y: Tensor) -> Tensor:
    """Average sum_s exp(-|x_i - y_j|^2 / 2 s^2) over pairs of rows (B, D), s in `BANDWIDTHS`."""
    distances = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    squares = distances.square().clamp_min(NEAREST)
    return torch.stack([(-squares / (2 * width**2)).exp() for width in BANDWIDTHS]).sum(0).mean()
