"""The forward pass of a model as a graph of operations."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from sakd.foundation.errors import UserError, require
from sakd.networks.staged import in_mode
from sakd.networks.staging.mutation import is_needed_elsewhere, written_by

WAY_OUT = (
    "give the names of its stages, submodules that need not be traced inside, in order, as in "
    "NAME(stages=['stem'; 'layer1'; 'layer2'])"
)


class StageTracer(fx.Tracer):
    """Follows a forward pass down to the layers of torch and the submodules called ``leaves``."""

    def __init__(self, leaves: Collection[str] = ()) -> None:
        """Take the submodules called ``leaves`` as single operations."""
        modules, functions = _not_for_tracing()
        super().__init__(autowrap_functions=tuple(functions))
        self.leaves = frozenset(leaves)
        self.leaf_types = tuple(modules)
        self.gradients = torch.is_grad_enabled()

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:  # noqa: ANN401 - as in fx
        """Refuse a step that the model takes without gradients: the graph would give it some.

        Raises:
            UserError: Gradients are switched off in a part of the model.
        """
        require(torch.is_grad_enabled() == self.gradients, "a part of it runs without gradients")
        return super().create_node(*args, **kwargs)

    def create_args_for_root(
        self,
        root_fn: Callable[..., Any],
        is_module: bool,
        concrete_args: Any = None,  # noqa: ANN401 - as in fx
    ) -> tuple[Callable[..., Any], list[Any]]:
        """Let only the images vary: other parameters of ``forward`` keep their defaults."""
        return root_fn, [self.root, self.create_proxy("placeholder", "images", (), {})]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether ``m`` is a single operation of the graph."""
        known = module_qualified_name in self.leaves or isinstance(m, self.leaf_types)
        return known or super().is_leaf_module(m, module_qualified_name)


def _not_for_tracing() -> tuple[Iterable[type[nn.Module]], Iterable[Callable[..., Any]]]:
    """The modules and functions that timm, where it is in use, excludes from tracing."""
    layers = sys.modules.get("timm.layers")
    if not hasattr(layers, "get_notrace_modules"):
        layers = sys.modules.get("timm.models._features_fx")
    if layers is None:
        return (), ()
    return layers.get_notrace_modules(), layers.get_notrace_functions()


def trace(model: nn.Module, *, training: bool, leaves: Collection[str] = ()) -> fx.Graph:
    """Trace ``model`` in training or evaluation mode, up to the logits.

    A graph is of one mode, because a trace fixes what the code decides by ``self.training``.
    Afterwards the model is in the mode it was in.

    Raises:
        UserError: The forward pass depends on its data in a way that cannot be traced, or on
            random numbers that the trace would fix.
    """
    before = _random_states()
    with in_mode(model, training=training):
        try:
            graph = StageTracer(leaves).trace(model)
            require(_random_states() == before, "random numbers independent of the images")
        except Exception as error:  # a trace fails with whatever the model's code raises
            raise UserError(
                f"{type(model).__name__} cannot be cut automatically, as torch.fx cannot trace it "
                f"({_first_line(error)}); {WAY_OUT}"
            ) from error
    return _ending_in_logits(model, graph)


def _random_states() -> tuple[object, ...]:
    """The states of torch, Python and NumPy, which differ once one has drawn a number."""
    numpy = repr(np.random.get_state())  # noqa: NPY002 - what models use is watched, not used
    return torch.get_rng_state().tolist(), random.getstate(), numpy


def chain(names: Sequence[str]) -> fx.Graph:
    """Make the graph that applies the submodules called ``names`` one after the other."""
    graph = fx.Graph()
    node = graph.placeholder("x")
    for name in names:
        node = graph.call_module(name, (node,))
        node.meta["nn_module_stack"] = {name: (name, nn.Module)}
    graph.output(node)
    return graph


def _ending_in_logits(model: nn.Module, graph: fx.Graph) -> fx.Graph:
    """Remove auxiliary outputs: keep the first output, or the one called ``logits``."""
    (output,) = (node for node in graph.nodes if node.op == "output")
    output.args = (first_output(output.args[0]),)
    for node in reversed(graph.nodes):
        written = written_by(model, node)
        acts = node.target is torch._assert or (written and is_needed_elsewhere(model, written))
        if not node.users and node.op not in ("placeholder", "output") and not acts:
            graph.erase_node(node)
    return graph


def first_output(given: Any) -> Any:  # noqa: ANN401 - whatever a model returns
    """Find the logits, or their node, among the outputs of a model; None if there are none."""
    if isinstance(given, fx.Node):
        named_tuple = isinstance(given.target, type) and issubclass(given.target, tuple)
        return first_output(given.args) if named_tuple else given
    if isinstance(given, Mapping):
        return first_output(given.get("logits"))
    if isinstance(given, Sequence):
        return first_output(given[0]) if given else None
    return given


def module_path(node: fx.Node) -> str:
    """The path of the submodule that ``node`` is in; empty for the model itself."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return str(stack[-1][0]) if stack else ""


def labels(graph: fx.Graph) -> dict[str, fx.Node]:
    """Label every operation by module and name; ``layer1.0.relu#2`` is the second relu there."""
    found: dict[str, fx.Node] = {}
    seen: Counter[str] = Counter()
    for node in graph.nodes:
        path = module_path(node)
        operation = getattr(node.target, "__name__", None) or str(node.target)
        label = path if node.op == "call_module" else f"{path}.{operation}".lstrip(".")
        seen[label] += 1
        found[f"{label}#{seen[label]}" if seen[label] > 1 else label] = node
    return found


def result(graph: fx.Graph) -> str:
    """Find the label of the operation that gives the logits."""
    *_, output = graph.nodes
    return next((k for k, node in labels(graph).items() if node is output.args[0]), "none")


class _Recorder(fx.Interpreter):
    """Runs a graph step by step and keeps the shape of every tensor.

    Unlike ``torch.fx.passes.shape_prop`` it lets an error through, and prints no traceback.
    """

    def __init__(self, model: nn.Module, graph: fx.Graph) -> None:
        super().__init__(model, graph=graph)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:  # noqa: ANN401 - as in fx
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.shapes[n] = tuple(result.shape)
        return result


def probe_shapes(
    model: nn.Module, graph: fx.Graph, images: Tensor
) -> dict[fx.Node, tuple[int, ...]]:
    """Find the shape, with batch axis, of every tensor that ``graph`` makes of ``images``.

    The model runs in evaluation mode on ``images`` (B, C, H, W).

    Raises:
        UserError: The model cannot take such images.
    """
    recorder = _Recorder(model, graph)
    with torch.no_grad(), in_mode(model, training=False):
        try:
            recorder.run(images)
        except Exception as error:  # whatever the model's code raises
            raise UserError(_complaint(model, images, error)) from error
    return recorder.shapes


def _complaint(model: nn.Module, images: Tensor, error: Exception) -> str:
    """The model's own error on ``images`` (B, C, H, W), or how its graph fails on them."""
    name, size = type(model).__name__, "x".join(map(str, images.shape[1:]))
    try:
        model(images)
    except Exception as own:  # whatever the model's code raises
        return (
            f"{name} cannot take images of {size}: {_first_line(own)}; a model for one size may "
            "take another as an argument, as in NAME(image_size=64), or NAME(img_size=64) in timm"
        )
    return (
        f"{name} takes images of {size}, but not step by step ({_first_line(error)}): name stages "
        "that are all of its forward, one after the other, the head included"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
