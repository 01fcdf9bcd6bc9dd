"""Places where a traced forward pass can be cut in two."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from sakd.networks.staging.layouts import Layout, layouts_of, settle
from sakd.networks.staging.tracing import labels, module_path

PROBE_BATCH = 2
"""Images of a probe: a tensor without this batch axis is not a feature per image."""

_NO_LAYERS = (operator.add, operator.mul, torch.add, torch.mul, torch.cat)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


@dataclass(frozen=True)
class Cut:
    """A place that every path from the images to the logits passes.

    Attributes:
        label: The last operation before the cut, see `sakd.networks.staging.tracing.labels`.
        shape: Of its output as the model has it, batch axis left out.
        layout: Of its output.
        weighted: Number of layers with weights up to the cut.
        nesting: Number of modules that the cut goes through; 0 between the model's children.
        dropout: Whether the operation is a dropout.
    """

    label: str
    shape: tuple[int, ...]
    layout: Layout
    weighted: int
    nesting: int
    dropout: bool

    @property
    def positions(self) -> int:
        """The resolution: number of positions of a map, of tokens; 1 for a vector."""
        channels = self.shape[0 if self.layout is Layout.MAP else -1]
        return math.prod(self.shape) // channels


def find_cuts(
    model: nn.Module,
    graph: fx.Graph,
    shapes: Mapping[fx.Node, tuple[int, ...]],
    image_shape: tuple[int, ...],
) -> list[Cut]:
    """Find all cuts of ``graph`` with a feature per image, in order; the logits come last.

    Args:
        model: The model that was traced.
        graph: Its graph in evaluation mode.
        shapes: Of the graph's tensors, for `PROBE_BATCH` images.
        image_shape: Of these images, (C, H, W).
    """
    layers = set(weighted_nodes(model, graph))
    passes = set(single_paths(graph))
    count, found = 0, []
    for label, node in labels(graph).items():
        count += node in layers
        batch, *rest = shapes.get(node, (0,))
        possible = layouts_of(shape := tuple(rest), image_shape)
        if node in passes and batch == PROBE_BATCH and possible:
            nesting, dropout = _nesting(node), _is_dropout(model, node)
            found.append((Cut(label, shape, possible[0], count, nesting, dropout), possible))
    layouts = settle([possible for _, possible in found])
    cuts = [replace(cut, layout=layout) for (cut, _), layout in zip(found, layouts, strict=True)]
    return [cut for cut in cuts[1:] if cut not in _turned(cuts)]  # the first one is the images


def single_paths(graph: fx.Graph) -> list[fx.Node]:
    """Find the nodes, in order, whose output is all that is needed later of the images."""
    made = made_of_images(graph)
    order = {node: position for position, node in enumerate(graph.nodes)}
    last_use = {node: max((order[user] for user in node.users), default=-1) for node in made}
    live: set[fx.Node] = set()
    found = []
    for node, position in order.items():
        if node in made:
            live.add(node)
        live = {value for value in live if last_use[value] > position}
        if live == {node}:
            found.append(node)
    return found


def shared_places(evaluation: fx.Graph, training: fx.Graph) -> set[str]:
    """Find the labels of the operations that every path passes in both graphs.

    An operation that occurs more often in one mode is left out: its label could mean different
    places.
    """
    passed = []
    for graph in (evaluation, training):
        named, passes = labels(graph), set(single_paths(graph))
        uses = Counter(label.partition("#")[0] for label in named)
        passed.append(
            {(k, uses[k.partition("#")[0]]) for k, node in named.items() if node in passes}
        )
    return {label for label, _ in passed[0] & passed[1]}


def made_of_images(graph: fx.Graph) -> set[fx.Node]:
    """Find the first placeholder, the images, and all nodes that depend on it."""
    found: set[fx.Node] = set()
    for node in graph.nodes:
        if not found or any(argument in found for argument in node.all_input_nodes):
            found.add(node)
    return found


def weighted_nodes(model: nn.Module, graph: fx.Graph) -> Iterator[fx.Node]:
    """Yield the operations with matrices or kernels of weights: no norms, scales, embeddings."""
    for node in graph.nodes:
        weights: list[Tensor] = []
        if node.op == "call_module":
            weights = list(model.get_submodule(node.target).parameters())
        elif node.op == "call_function" and node.target not in _NO_LAYERS:
            names = [str(n.target) for n in node.all_input_nodes if n.op == "get_attr"]
            weights = [operator.attrgetter(name)(model) for name in names]
        if any(isinstance(weight, nn.Parameter) and weight.dim() > 1 for weight in weights):
            yield node


def _is_dropout(model: nn.Module, node: fx.Node) -> bool:
    if node.op == "call_module":
        return isinstance(model.get_submodule(str(node.target)), _DROPOUTS)
    return node.target is F.dropout


def _nesting(node: fx.Node) -> int:
    """The number of modules that hold ``node`` and all users of its output."""
    steps = [step for step in (node, *node.users) if step.op != "output"]
    paths = [path.split(".") if (path := module_path(step)) else [] for step in steps]
    levels = list(zip(*paths, strict=False))
    return next((k for k, level in enumerate(levels) if len({*level}) > 1), len(levels))


def _turned(cuts: list[Cut]) -> list[Cut]:
    """The cuts at tokens (C, N) that the next operation transposes, such as a flattened map."""
    return [
        cut
        for cut, following in pairwise(cuts)
        if cut.layout is Layout.TOKENS
        and cut.shape == following.shape[::-1]
        and cut.shape != following.shape
    ]
