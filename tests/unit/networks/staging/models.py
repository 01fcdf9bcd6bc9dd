"""Small models with what makes cutting hard."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Plain(nn.Module):
    """Convolutions with a residual block, weights of its own, a shared and an in-place layer."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.depth = nn.Conv2d(3, 4, 3, padding=1)  # a name that a staged network has too
        self.act = nn.ReLU(inplace=True)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.down = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.scale = nn.Parameter(torch.rand(6, 1, 1))
        self.register_buffer("shift", torch.rand(6, 1, 1))
        self.head = nn.Sequential(nn.Dropout(0.5, inplace=True), nn.Linear(6, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.depth(x))
        x = self.act(self.block(x) + x)
        x = self.down(x) * self.scale + self.shift
        x = F.dropout(x, 0.3, self.training)
        return self.head(self.act(x).mean((2, 3)))


class Overwriting(nn.Module):
    """Every stage begins by writing into its input, or into a view of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.down = nn.Conv2d(4, 4, 2, stride=2)
        self.last = nn.Conv2d(4, 4, 2, stride=2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x.sub_(0.5).div_(2)  # the images themselves
        x = self.stem(x)
        x += 1
        x = self.down(x.relu_())
        view = x.flatten(2)
        view.mul_(2)
        x = self.last(view.view(x.shape))
        x = F.relu(x, inplace=True).mean((2, 3))
        if self.training:
            x = F.dropout(x, 0.5, training=True, inplace=True)
        return self.head(x)


class Outputs(NamedTuple):
    """The outputs of networks with an auxiliary head in training."""

    logits: Tensor
    auxiliary: Tensor


class Auxiliary(nn.Module):
    """A second head, in training only; as a named tuple, a tuple or a dict."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.down = nn.Conv2d(4, 6, 3, stride=2)
        self.extra = nn.Linear(4, 3)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> object:
        x = self.stem(x)
        extra = self.extra(x.mean((2, 3)))
        logits = self.head(self.down(x).mean((2, 3)))
        if not self.training:
            return logits
        if self.form == "dict":
            return {"extra": extra, "logits": logits}
        return Outputs(logits, extra) if self.form == "named" else (logits, extra)


class Branching(nn.Module):
    """Decides by its data, which no trace can follow."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else 2 * x


class Untraceable(nn.Module):
    """Branches in its block, and ``outside`` of it too; dropout is in no module."""

    def __init__(self, *, outside: bool, flat: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.outside = outside
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.block = nn.Sequential(Branching(), nn.Conv2d(4, 6, 2, stride=2))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), *([nn.Flatten()] if flat else []))
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.block(self.stem(x)))
        if self.outside and x.shape[0] > 100:
            x = 2 * x
        return self.head(F.dropout(x.flatten(1), self.dropout, self.training))


class Options(nn.Module):
    """Can give its features too, and take a mask, as in much code for distillation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)

    def forward(
        self, x: Tensor, is_feat: bool = False, *, mask: Tensor | None = None, **_more: object
    ) -> object:
        x = self.stem(x if mask is None else x * mask).relu()
        logits = self.head(x.mean((2, 3)))
        return ([x], logits) if is_feat else logits


class Chance(nn.Module):
    """In training, whether the input is doubled is left to ``draw``."""

    def __init__(self, draw: Callable[[], float]) -> None:
        super().__init__()
        self.draw = draw
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.draw() < 0.5:
            x = 2 * x
        return self.head(self.stem(x).mean((2, 3)))


class Frozen(nn.Module):
    """Keeps its batch norm in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, 3)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.stem[1].eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stem(x).mean((2, 3)))


class Noisy(nn.Module):
    """One more rectifier in training, before the one that both modes have."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.down = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.training:
            x = F.relu(x + torch.randn_like(x))
        return self.head(F.relu(self.down(x)).mean((2, 3)))


class Numbered(nn.Module):
    """Submodules called like the second use of another, and like the last stages."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Conv2d(3, 4, 3, padding=1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.conv_1 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.out = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.embedding(x))
        x = self.conv_1(self.conv(x.relu()).relu())
        return self.out(x.relu().mean((2, 3)))


class Tokens(nn.Module):
    """Four attention layers on patches, with a class token: one resolution throughout."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        layers = [nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True) for _ in range(8)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(8, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.head(self.layers(x)[:, 0])


class ChannelsLast(nn.Module):
    """Maps of (B, H, W, C), as in Swin transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, stride=2)
        self.mix = nn.Linear(8, 8)
        self.merge = nn.Linear(8, 5)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(self.patches(x).permute(0, 2, 3, 1)).relu()
        x = self.merge(x[:, ::2, ::2]).relu()
        return self.head(x.mean((1, 2)))
