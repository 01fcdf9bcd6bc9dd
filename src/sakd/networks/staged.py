"""A classifier that can be cut between its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError
from sakd.networks.rectifiers import RectifierWatch

T = TypeVar("T")


class Features(NamedTuple):
    """What one forward pass leaves behind: ``features`` up to the embedding, then ``logits``."""

    features: tuple[Tensor, ...]
    logits: Tensor

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The features, then the logits: what the numbers of a spot count."""
        return *self.features, self.logits


class StagedNetwork(nn.Module):
    """A classifier as an ordered chain of named stages; the last one is the head.

    Law: ``run(run(x, 0, k), k) == run(x)`` for every cut ``k``, in evaluation mode.
    Feature ``k`` is the output of stage ``k``; the feature before the head is the
    embedding (B, C), the ones before it are usually maps (B, C, H, W).
    """

    def __init__(self, stages: Mapping[str, nn.Module], *, family: str) -> None:
        """Chain ``stages`` in their order.

        Args:
            stages: name to module; the last one maps the embedding to logits (B, K).
            family: the architecture's name; networks of one family count as homogeneous.
        """
        super().__init__()
        self.stage_names = tuple(stages)
        self.family = family
        for name, stage in stages.items():
            self.add_module(name, stage)

    @property
    def depth(self) -> int:
        """Number of features: every stage but the head has one."""
        return len(self.stage_names) - 1

    def stage_modules(self) -> dict[str, nn.Module]:
        """Every stage as a module of its own, in order, with the weights of this network."""
        return {name: self.get_submodule(name) for name in self.stage_names}

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``."""
        for name in self.stage_names[start:stop]:
            x = self.get_submodule(name)(x)
        return x

    def extract(self, x: Tensor) -> Features:
        """Run images (B, C, H, W) through every stage and keep each feature."""
        features = []
        for index in range(self.depth):
            x = self.run(x, index, index + 1)
            features.append(x)
        return Features(tuple(features), self.run(x, self.depth))

    def extract_unrectified(self, x: Tensor) -> tuple[Features, Features]:
        """`trace`, and the same with every feature as it is before a rectifier.

        That is the one that closes its stage; or else, after pre-activation blocks, the one that
        begins the next stage by way of a batch norm. Where there is neither (linear bottlenecks,
        tokens) the feature is the same in both.
        """
        features: list[Tensor] = []
        unrectified: list[Tensor] = []
        for feature, watch in self.watched(x):
            if features and unrectified[-1] is features[-1] and watch.opening is not None:
                unrectified[-1] = watch.opening
            features.append(feature)
            unrectified.append(watch.before(feature))
        logits = self.run(features[-1], self.depth)
        return Features(tuple(features), logits), Features(tuple(unrectified), logits)

    def watched(self, x: Tensor) -> Iterator[tuple[Tensor, RectifierWatch]]:
        """Every feature of images (B, C, H, W), and what was seen of rectifiers in its stage."""
        for index in range(self.depth):
            with RectifierWatch(x) as watch:
                x = self.run(x, index, index + 1)
            yield x, watch

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K) of images (B, C, H, W)."""
        return self.run(x)


def probe(network: StagedNetwork, image_shape: tuple[int, ...]) -> Features:
    """What ``network`` makes of one black image (C, H, W), in evaluation mode.

    Raises:
        UserError: the network cannot take images of that shape.
    """
    return _probe(network, network.extract, image_shape)


def rectified_stages(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[bool]:
    """Whether a rectifier closes the stage of each feature; found by a probe forward.

    Raises:
        UserError: the network cannot take images of that shape.
    """

    def closed(images: Tensor) -> list[bool]:
        return [watch.before(x) is not x for x, watch in network.watched(images)]

    return _probe(network, closed, image_shape)


def _probe(network: StagedNetwork, trace: Callable[[Tensor], T], image_shape: tuple[int, ...]) -> T:
    image = next(network.parameters()).new_zeros((1, *image_shape))
    try:
        with torch.no_grad(), in_mode(network, training=False):
            return trace(image)
    except Exception as error:  # whatever the network's code raises
        size = "x".join(map(str, image_shape))
        reason = str(error).partition("\n")[0]
        raise UserError(f"the network cannot take images of {size}: {reason}") from error


@contextmanager
def in_mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Have ``model`` in training or evaluation mode; every submodule goes back to its own."""
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode


def feature_shapes(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of all features for one image, batch axis left out.

    Raises:
        UserError: the network cannot take images of that shape.
    """
    return [tuple(feature.shape[1:]) for feature in probe(network, image_shape).features]


def check_fit(network: StagedNetwork, image_shape: tuple[int, ...], num_classes: int) -> None:
    """See that ``network`` takes images of that shape and tells so many classes apart.

    Raises:
        UserError: it does not.
    """
    told = tuple(probe(network, image_shape).logits.shape[1:])
    if told != (num_classes,):
        raise UserError(
            f"the network gives logits of shape {told}, but the data has {num_classes} classes: "
            "let its function take num_classes"
        )
