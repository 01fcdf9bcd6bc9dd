"""Pieces of a traced forward pass as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, fx, nn

from sakd.networks.staging.cuts import made_of_images
from sakd.networks.staging.layouts import Layout
from sakd.networks.staging.mutation import is_overwritten

StageFunction = Callable[[nn.Module, Tensor], Tensor]
"""Takes the whole model, whose weights it uses, and the input of the stage."""


class Segment(NamedTuple):
    """A piece of a forward pass, with the paths of all modules, weights and buffers it uses."""

    function: StageFunction
    uses: frozenset[str]


@dataclass(frozen=True)
class Pieces:
    """A model with its forward pass in pieces: one per stage, for each mode.

    It is a plain object, so that a module that holds it does not register the model.
    """

    model: nn.Module
    evaluation: tuple[Segment, ...]
    training: tuple[Segment, ...]

    def run(self, x: Tensor, stages: slice, *, training: Sequence[bool]) -> Tensor:
        """Apply a slice of the stages to ``x``, the input of the first; each in its own mode."""
        pieces = zip(training, self.training, self.evaluation, strict=True)
        for trained, training_piece, evaluation_piece in list(pieces)[stages]:
            x = (training_piece if trained else evaluation_piece).function(self.model, x)
        return x


class Segmenter:
    """Cuts a graph of a model into functions."""

    def __init__(self, model: nn.Module, graph: fx.Graph) -> None:
        """Cut ``graph``, which was traced from ``model``."""
        self.model = model
        self.graph = graph
        self.made_of_images = made_of_images(graph)

    @property
    def images(self) -> fx.Node:
        """The placeholder of the images."""
        node: fx.Node = next(iter(self.graph.nodes))
        return node

    def between(
        self, start: fx.Node, end: fx.Node, takes: Layout | None, gives: Layout | None
    ) -> Segment:
        """Make a function of the operations after ``start`` up to ``end``.

        It takes and returns maps (B, C, H, W), whatever the layout in the model.

        Args:
            start: The node whose output the function takes.
            end: The node whose output it returns.
            takes: The layout of the input in the model; None for images.
            gives: The layout of the output in the model.
        """
        piece = fx.Graph()
        value = piece.placeholder("x")
        if takes is Layout.CHANNELS_LAST:
            value = piece.call_method("permute", (value, 0, 2, 3, 1))
        if is_overwritten(self.model, start):
            value = piece.call_method("clone", (value,))
        copies = {start: value}

        def copy(node: fx.Node) -> fx.Node:
            if node not in copies:
                copies[node] = piece.node_copy(node, copy)
            return copies[node]

        nodes = list(self.graph.nodes)
        for node in nodes[nodes.index(start) + 1 : nodes.index(end) + 1]:
            if node in self.made_of_images:
                copy(node)
        value = copy(end)
        if gives is Layout.CHANNELS_LAST:
            value = piece.call_method("permute", (value, 0, 3, 1, 2))
        piece.output(value)
        # GraphModule generates forward(self, x), which runs on any module of the same structure.
        function: StageFunction = type(fx.GraphModule(self.model, piece)).forward
        steps = (node for node in piece.nodes if node.op in ("call_module", "get_attr"))
        return Segment(function, frozenset(str(node.target) for node in steps))
