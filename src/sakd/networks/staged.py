"""A classifier that can be cut between its stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from sakd.foundation.errors import UserError
from sakd.networks.rectifiers import RectifierWatch

T = TypeVar("T")


class Features(NamedTuple):
    """The features of one forward pass, up to the embedding, and its logits (B, K)."""

    features: tuple[Tensor, ...]
    logits: Tensor

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Features, then logits; a `Spot` indexes this tuple."""
        return *self.features, self.logits


class StagedNetwork(nn.Module, ABC):
    """Interface of a classifier that is an ordered chain of named stages; the last is the head.

    Law: ``run(run(x, 0, k), k) == run(x)`` for every cut ``k``, in evaluation mode.
    Feature ``k`` is the output of stage ``k``; the feature before the head is the
    embedding (B, C), the ones before it are usually maps (B, C, H, W).

    `Chain` implements it for stages that are modules.
    """

    def __init__(self, stage_names: Iterable[str], *, family: str) -> None:
        """Name the stages and the architecture.

        Args:
            stage_names: The names of the stages, in order.
            family: The architecture's name; networks of one family count as homogeneous.
        """
        super().__init__()
        self.stage_names = tuple(stage_names)
        self.family = family
        self.resting: frozenset[int] = frozenset()

    def rest(self, stages: Collection[int]) -> None:
        """Keep ``stages`` in evaluation mode, whatever `train` says from now on; no others."""
        self.resting = frozenset(stages)

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode; stages that rest stay in evaluation mode."""
        super().train(mode)
        self._keep_resting()
        return self

    def _keep_resting(self) -> None:
        for number, stage in enumerate(self.stage_modules().values() if self.resting else ()):
            if number in self.resting:
                stage.eval()

    @abstractmethod
    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``.

        Args:
            x: Images (B, C, H, W) for stage 0, feature ``start - 1`` for any other.
            start: The first stage to apply.
            stop: The first stage not to apply; None applies all up to the logits.
        """

    @abstractmethod
    def stage_modules(self) -> dict[str, nn.Module]:
        """Give each stage as a module of its own, in order, sharing this network's weights."""

    def compile_stages(self) -> None:
        """Have `torch.compile` fuse the operations of stages, the first time that they run.

        State dicts stay as they are; results change by rounding.
        """
        if "run" not in vars(self):
            vars(self)["run"] = torch.compile(self.run, dynamic=False)

    @contextmanager
    def uncompiled(self) -> Iterator[None]:
        """Run stages as they are written within the context."""
        compiled = vars(self).pop("run", None)
        try:
            yield
        finally:
            if compiled is not None:
                vars(self)["run"] = compiled

    @property
    def depth(self) -> int:
        """Number of features: every stage but the head has one."""
        return len(self.stage_names) - 1

    def extract(self, x: Tensor, start: int = 0) -> Features:
        """Run ``x``, the input of stage ``start``, through all stages from there on; keep features.

        Args:
            x: Images (B, C, H, W) for stage 0, feature ``start - 1`` for any other.
            start: The first stage to apply, which is not the head.
        """
        features = []
        for index in range(start, self.depth):
            x = self.run(x, index, index + 1)
            features.append(x)
        return Features(tuple(features), self.run(x, self.depth))

    def extract_unrectified(self, x: Tensor) -> tuple[Features, Features]:
        """Extract the features of images (B, C, H, W) after and before their rectifiers.

        The rectifier of a feature is the one that closes its stage; or else, with pre-activation
        blocks, the one that opens the next stage after a batch norm. A feature with neither
        (linear bottlenecks, tokens) is the same in both results.
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
        """Yield each feature of images (B, C, H, W) with the watch over its stage's rectifiers."""
        for index in range(self.depth):
            with RectifierWatch(x) as watch:
                x = self.run(x, index, index + 1)
            yield x, watch

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, K)."""
        return self.run(x)


def probe(network: StagedNetwork, image_shape: tuple[int, ...]) -> Features:
    """Extract the features of one black image (C, H, W), in evaluation mode.

    Raises:
        UserError: The network cannot take images of that shape.
    """
    return _probe(network, network.extract, image_shape)


def rectified_stages(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[bool]:
    """For each feature, whether a rectifier closes its stage; found by a probe forward.

    Raises:
        UserError: The network cannot take images of that shape.
    """

    def closed(images: Tensor) -> list[bool]:
        return [watch.before(x) is not x for x, watch in network.watched(images)]

    return _probe(network, closed, image_shape)


def _probe(network: StagedNetwork, trace: Callable[[Tensor], T], image_shape: tuple[int, ...]) -> T:
    image = next(network.parameters()).new_zeros((1, *image_shape))
    try:
        with torch.no_grad(), in_mode(network, training=False), network.uncompiled():
            return trace(image)
    except Exception as error:  # whatever the network's code raises
        size = "x".join(map(str, image_shape))
        reason = str(error).partition("\n")[0]
        raise UserError(f"the network cannot take images of {size}: {reason}") from error


@contextmanager
def in_mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Put ``model`` into training or evaluation mode; afterwards each module returns to its own."""
    before = {module: module.training for module in model.modules()}
    if set(before.values()) == {training}:
        yield
        return
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before.items():
            if module.training != mode:
                module.training = mode


def feature_shapes(network: StagedNetwork, image_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shapes of all features for one image, batch axis left out.

    Raises:
        UserError: The network cannot take images of that shape.
    """
    return [tuple(feature.shape[1:]) for feature in probe(network, image_shape).features]


def check_fit(network: StagedNetwork, image_shape: tuple[int, ...], num_classes: int) -> None:
    """Check that ``network`` takes images of that shape and has one logit per class.

    Raises:
        UserError: It does not.
    """
    shape = tuple(probe(network, image_shape).logits.shape[1:])
    if shape != (num_classes,):
        raise UserError(
            f"the network gives logits of shape {shape}, but the data has {num_classes} classes: "
            "let its function take num_classes"
        )


@contextmanager
def twice_differentiable(module: nn.Module) -> Iterator[None]:
    """Let the gradients of networks in ``module`` be differentiated, within the context.

    Their stages run as they are written, though they may be compiled, and attention as products of
    matrices.
    """
    parts = [part for part in module.modules() if isinstance(part, StagedNetwork)]
    compiled = [(part, vars(part).pop("run")) for part in parts if "run" in vars(part)]
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        for part, run in compiled:
            vars(part)["run"] = run
