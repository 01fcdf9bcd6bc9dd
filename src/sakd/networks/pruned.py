"""Networks that are pruned forms of others: which of their channels are left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError, require
from sakd.networks.staged import StagedNetwork
from sakd.networks.watched import layers_of, watched

TRIED = 4
"""Random images on which a cut is tried."""

CLOSE = 1e-6
"""The relative error, in float64, within which the two networks of a trial agree."""


class Cut(NamedTuple):
    """A layer of a pruned network, and what is left of the same layer of the whole one.

    Attributes:
        name: The name of its module in both.
        inputs: The channels that it takes, by their numbers in the whole network.
        outputs: Those that it gives.
    """

    name: str
    inputs: Tensor
    outputs: Tensor

    def of(self, weights: Tensor) -> Tensor:
        """Cut the weights, the biases or the statistics of the whole layer."""
        outputs, inputs = (each.to(weights.device) for each in (self.outputs, self.inputs))
        if not weights.dim():
            return weights
        left = weights[outputs]
        return left if left.dim() == 1 else left[:, inputs]


def pruned_form(
    student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
) -> list[Cut]:
    """Find which channels of ``teacher`` are left in ``student``, a pruned form of it.

    Of every layer with fewer channels those are left whose filters have the largest sums of
    absolute weights (Li et al., ICLR 2017, arXiv:1608.08710). Nothing is changed.

    Args:
        student: A network of the same layers as ``teacher``, some of them narrower.
        teacher: The whole network.
        image_shape: The shape (C, H, W) of the images of both.

    Returns:
        Every layer with weights, in the order in which they run.

    Raises:
        UserError: It is no such form.
    """
    ours, theirs = ([(n, m) for n, m, *_ in layers_of(x, image_shape)] for x in (student, teacher))
    for one, other in zip(ours, theirs, strict=False):
        alike = one[0] == other[0] and type(one[1]) is type(other[1])
        require(alike, _unlike(f"{one[0]} of the one is {other[0]} of the other"))
    require(len(ours) == len(theirs), _unlike(f"{len(ours)} layers are not {len(theirs)}"))
    require(len(dict(ours)) == len(ours), _unlike("a layer runs twice"))
    both = zip(ours, theirs, strict=True)
    cuts = list(_cuts([(name, one, other) for (name, one), (_, other) in both]))
    _try(copy.deepcopy(student).double(), copy.deepcopy(teacher).double(), cuts, image_shape)
    return cuts


@torch.no_grad()
def cut(student: nn.Module, teacher: nn.Module, cuts: Sequence[Cut]) -> None:
    """Give ``student`` the weights of ``teacher`` that are left.

    Raises:
        UserError: Other weights than those of the layers differ in their shapes.
    """
    layers, whole = {each.name: each for each in cuts}, teacher.state_dict()
    for name, value in student.state_dict().items():
        layer = layers.get(name.rpartition(".")[0])
        left = whole[name] if layer is None else layer.of(whole[name])
        require(left.shape == value.shape, _unlike(f"{name} is {tuple(value.shape)}"))
        value.copy_(left)


def _cuts(layers: Sequence[tuple[str, nn.Module, nn.Module]]) -> Iterator[Cut]:
    left = torch.arange(0)  # the channels that the last narrower layer gives
    for name, one, other in layers:
        (taken, given), (all_taken, all_given) = _widths(one), _widths(other)
        inputs = torch.arange(all_taken) if taken == all_taken else left
        require(len(inputs) == taken, _unlike(f"{name} takes {taken} channels of {all_taken}"))
        if isinstance(one, nn.Conv2d):
            require(one.groups == 1, _unlike(f"{name} is a convolution in groups"))
            outputs = torch.arange(all_given)
            if given < all_given:
                weights = other.get_parameter("weight").detach()
                order = weights.abs().flatten(1).sum(dim=1).argsort(descending=True, stable=True)
                left = outputs = order[:given].sort().values.cpu()
            fits = given <= all_given
        else:
            outputs = inputs if isinstance(one, nn.BatchNorm2d) else torch.arange(all_given)
            fits = given == len(outputs)
        require(fits, _unlike(f"{name} gives {given} channels of {all_given}"))
        yield Cut(name, inputs, outputs)


def _widths(module: nn.Module) -> tuple[int, int]:
    """Count the channels that a layer takes, and those that it gives."""
    if isinstance(module, nn.Conv2d):
        return module.in_channels, module.out_channels
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
        return module.num_features, module.num_features
    known = "convolutions, batch norms with weights and statistics, and linear layers"
    raise UserError(_unlike(f"{type(module).__name__} cannot be cut; these can: {known}"))


@torch.no_grad()
def _try(
    student: StagedNetwork,
    teacher: StagedNetwork,
    cuts: Sequence[Cut],
    image_shape: tuple[int, ...],
) -> None:
    """Check that ``student``, cut out of ``teacher``, is that one without the other channels."""
    cut(student.eval(), teacher.eval(), cuts)
    source = torch.Generator().manual_seed(0)
    like = next(student.parameters())
    images = torch.randn(TRIED, *image_shape, generator=source, dtype=like.dtype).to(like.device)
    with ExitStack() as masks:
        for each in cuts:
            masks.enter_context(watched(teacher, each.name, _mask(each.outputs)))
        expected = teacher(images)
    found = student(images)
    error = float((found - expected).norm() / expected.norm().clamp_min(torch.finfo().tiny))
    joined = "channels that are left out of one layer are added to those of another"
    require(error <= CLOSE, _unlike(joined))


def _mask(left: Tensor) -> Callable[[Tensor], Tensor]:
    """Make what sets all channels of maps (B, C, H, W) but those ``left`` to zero."""

    def masked(output: Tensor) -> Tensor:
        kept = torch.zeros_like(output)
        places = left.to(output.device)
        kept[:, places] = output[:, places]
        return kept

    return masked


def _unlike(reason: str) -> str:
    return (
        f"the student is no pruned form of its teacher: {reason}; take the teacher's network with "
        "fewer channels inside, as in vgg8/vgg8(keep=0.5)"
    )
