"""Any classifier as a staged network, cut where its graph allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor, fx, nn

from sakd.foundation.errors import UserError, require
from sakd.networks.staged import StagedNetwork
from sakd.networks.staging.comparison import compare
from sakd.networks.staging.cuts import PROBE_BATCH, Cut, find_cuts, shared_places
from sakd.networks.staging.layouts import Layout
from sakd.networks.staging.part import StagePart
from sakd.networks.staging.plan import Plan, automatic, by_hand
from sakd.networks.staging.segments import Pieces, Segment, Segmenter
from sakd.networks.staging.surgery import fit_channels, fit_classes
from sakd.networks.staging.tracing import (
    chain,
    labels,
    probe_shapes,
    result,
    trace,
)


@dataclass(frozen=True)
class Graphs:
    """The forward pass in either mode, since a trace fixes what the code decides by the mode.

    Attributes:
        evaluation: The operations in evaluation mode.
        training: The operations in training mode.
        chained: Whether the model was not traced, but taken for a chain of submodules.
    """

    evaluation: fx.Graph
    training: fx.Graph
    chained: bool = False


class TracedNetwork(StagedNetwork):
    """A model whose forward pass was traced and cut; its state dict is the model's own.

    Stages are pieces of the forward pass, not modules. Weights and buffers are the model's, under
    the model's names: published weights load here, and trained ones load there. A stage returns
    maps as (B, C, H, W), even where the model has the channels last.

    Attributes:
        origins: For each stage the last operation of the model in it.
    """

    def __init__(self, model: nn.Module, graphs: Graphs, plan: Plan) -> None:
        """Cut ``graphs``, traced from ``model``, where ``plan`` says."""
        super().__init__(plan, family=type(model).__name__.lower())
        self.origins = {name: cut.label for name, cut in plan.items()}
        evaluation = _segments(model, graphs.evaluation, plan)
        self._pieces = Pieces(model, evaluation, _segments(model, graphs.training, plan))
        # The model's registries, not the model itself: as a submodule it would put its own name
        # before all others, and have states loaded by its class, which may ask for their version.
        self._parameters, self._modules = model._parameters, model._modules
        self._buffers = model._buffers
        self._non_persistent_buffers_set = model._non_persistent_buffers_set

    def train(self, mode: bool = True) -> Self:
        """Switch modes as the model does: it may keep parts in evaluation mode."""
        super().train(mode)
        self._pieces.model.train(mode)
        self._keep_resting()
        return self

    def stage_modules(self) -> dict[str, nn.Module]:
        """Give each stage as a module of its own, with the weights of the model that it uses."""
        pieces = self._pieces
        stages = zip(self.stage_names, pieces.evaluation, pieces.training, strict=True)
        return {name: StagePart(pieces.model, *segments) for name, *segments in stages}

    def run(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Apply ``stages[start:stop]`` to ``x``, the input of stage ``start``."""
        modes = [self.training and k not in self.resting for k in range(len(self.stage_names))]
        return self._pieces.run(x, slice(start, stop), training=modes)


def stage(
    model: nn.Module,
    image_shape: tuple[int, ...],
    *,
    stages: Sequence[str] = (),
    num_classes: int | None = None,
) -> TracedNetwork:
    """Make a staged network of any classifier of images.

    Args:
        model: Maps images (B, C, H, W) to logits (B, K); it is used, not copied. Its first
            convolution and its last layer are replaced where they do not fit the data.
        image_shape: Of the images, (C, H, W).
        stages: Names of submodules after which to cut, in order, the first one being the stem;
            they need not be traceable inside. Without names the cuts are found.
        num_classes: K; None takes the model's.

    Raises:
        UserError: The forward pass cannot be traced or cut, or does not take such images.
    """
    require(any(True for _ in model.parameters()), f"{type(model).__name__} has no weights")
    graphs = _graphs(model, stages)
    fit_channels(model, graphs.evaluation, image_shape[0])
    cuts = _cuts(model, graphs, image_shape)
    if num_classes is not None and cuts[-1].shape != (num_classes,):
        cuts = _refitted(model, graphs, image_shape, num_classes)
    network = TracedNetwork(model, graphs, by_hand(cuts, stages) if stages else automatic(cuts))
    compare(network, model, image_shape, chained=graphs.chained)
    return network


def _refitted(
    model: nn.Module, graphs: Graphs, image_shape: tuple[int, ...], classes: int
) -> list[Cut]:
    """Replace the last layer of ``model`` for that many classes, and find its cuts."""
    fit_classes(model, graphs.evaluation, classes)
    complaint = (
        f"{type(model).__name__} does not have {classes} logits when its last layer alone is "
        "replaced: let it take num_classes"
    )
    try:
        cuts = _cuts(model, graphs, image_shape)
    except UserError as error:
        raise UserError(complaint) from error
    require(cuts[-1].shape == (classes,), complaint)
    return cuts


def _cuts(model: nn.Module, graphs: Graphs, image_shape: tuple[int, ...]) -> list[Cut]:
    """Find the cuts that both modes share; the last one is at the logits."""
    probe = next(model.parameters()).new_zeros((PROBE_BATCH, *image_shape))
    shapes = probe_shapes(model, graphs.evaluation, probe)
    shared = shared_places(graphs.evaluation, graphs.training)
    found = find_cuts(model, graphs.evaluation, shapes, image_shape)
    cuts = [cut for cut in found if cut.label in shared]
    ends = [result(graph) for graph in (graphs.evaluation, graphs.training)]
    if not cuts or cuts[-1].layout is not Layout.VECTOR or {cuts[-1].label} != {*ends}:
        raise UserError(
            f"{type(model).__name__} is not a classifier: it does not give logits (B, K), by the "
            "same operation in training and in evaluation mode"
        )
    return cuts


def _graphs(model: nn.Module, stages: Sequence[str]) -> Graphs:
    """Trace ``model``; if that fails, take it for the chain of ``stages``."""
    try:
        return Graphs(
            evaluation=trace(model, training=False, leaves=stages),
            training=trace(model, training=True, leaves=stages),
        )
    except UserError:
        if not stages:
            raise
    own = [name for name, _ in model.named_modules() if name]
    for name in stages:
        shown = ", ".join(own[:12])
        require(name in own, f"stages: {type(model).__name__} has no {name!r}, but {shown}, ...")
    return Graphs(chain(stages), chain(stages), chained=True)


def _segments(model: nn.Module, graph: fx.Graph, plan: Plan) -> tuple[Segment, ...]:
    segmenter, nodes = Segmenter(model, graph), labels(graph)
    start, layout, segments = segmenter.images, None, []
    for cut in plan.values():
        segments.append(segmenter.between(start, nodes[cut.label], layout, cut.layout))
        start, layout = nodes[cut.label], cut.layout
    return tuple(segments)
