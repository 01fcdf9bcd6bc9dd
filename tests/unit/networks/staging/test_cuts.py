"""Cuts against an independent definition, and the facts about each."""

from __future__ import annotations

import operator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import fx, nn

from sakd.networks.staging.cuts import find_cuts, single_paths, weighted_nodes
from sakd.networks.staging.layouts import Layout, layouts_of, settle
from sakd.networks.staging.tracing import probe_shapes, trace

from .models import Plain, Tokens

FIRST, LAST = Layout.MAP, Layout.CHANNELS_LAST


@st.composite
def graphs(draw: st.DrawFn) -> fx.Graph:
    """Draw a graph of sums in which every value is used."""
    graph = fx.Graph()
    nodes = [graph.placeholder("x")]
    for _ in range(draw(st.integers(1, 8))):
        a, b = (draw(st.sampled_from(nodes[-3:])) for _ in range(2))
        nodes.append(graph.call_function(operator.add, (a, b)))
    unused = [node for node in nodes if not node.users]
    graph.output(unused[0] if len(unused) == 1 else graph.call_function(sum, (unused,)))
    return graph


def passed_on_every_path(graph: fx.Graph, node: fx.Node) -> bool:
    """Whether the output is out of reach of the images once ``node`` is taken away."""
    first, *_, last = graph.nodes
    reached, waiting = set(), [first]
    while waiting:
        here = waiting.pop()
        if here is not node and here not in reached:
            reached.add(here)
            waiting.extend(here.users)
    return last not in reached


@given(graphs())
def test_a_cut_is_what_every_path_passes(graph: fx.Graph) -> None:
    *nodes, _ = graph.nodes
    assert single_paths(graph) == [node for node in nodes if passed_on_every_path(graph, node)]


def test_cuts_know_their_place() -> None:
    model = Plain()
    graph = trace(model, training=False)
    shapes = probe_shapes(model, graph, torch.zeros(2, 3, 8, 8))
    known = {
        cut.label: (cut.shape, cut.layout, cut.weighted, cut.nesting, cut.dropout)
        for cut in find_cuts(model, graph, shapes, (3, 8, 8))
    }
    assert known["depth"] == ((4, 8, 8), FIRST, 1, 0, False)
    assert known["dropout"] == ((6, 4, 4), FIRST, 3, 0, True)
    assert known["mean"] == ((6,), Layout.VECTOR, 3, 0, False)
    assert known["head.0"] == ((6,), Layout.VECTOR, 3, 1, True)
    assert known["head.1"] == ((3,), Layout.VECTOR, 4, 2, False)
    assert "block.1" not in known


@pytest.mark.parametrize(("model", "layers"), [(Plain(), 4), (Tokens(), 1 + 8 + 1)])
def test_layers_are_counted_without_norms_scales_and_embeddings(
    model: nn.Module, layers: int
) -> None:
    assert len(list(weighted_nodes(model, trace(model, training=False)))) == layers


@pytest.mark.parametrize(
    ("shape", "image", "layouts"),
    [
        ((64, 8, 8), (3, 32, 32), (FIRST,)),
        ((8, 8, 64), (3, 32, 32), (LAST,)),
        ((8, 8, 8), (3, 32, 32), (FIRST, LAST)),
        ((64, 49, 64), (3, 224, 224), ()),
        ((1, 49, 512), (3, 224, 224), ()),
        ((64, 7, 10), (3, 224, 320), (FIRST,)),
        ((7, 10, 64), (3, 224, 320), (LAST,)),
        ((64, 4, 6), (3, 50, 75), (FIRST,)),
        ((512, 1, 1), (3, 32, 48), (FIRST,)),
        ((10,), (3, 8, 8), (Layout.VECTOR,)),
        ((5, 10), (3, 8, 8), (Layout.TOKENS,)),
        ((), (3, 8, 8), ()),
        ((1, 2, 3, 4), (3, 8, 8), ()),
    ],
)
def test_maps_are_scaled_down_images(
    shape: tuple[int, ...], image: tuple[int, ...], layouts: tuple[Layout, ...]
) -> None:
    assert layouts_of(shape, image) == layouts


def test_a_map_that_could_lie_either_way_follows_its_nearest_neighbour() -> None:
    unsure = (FIRST, LAST)
    assert settle([(FIRST,), unsure, (Layout.TOKENS,), unsure, (LAST,)]) == [
        *(FIRST, FIRST, Layout.TOKENS, LAST, LAST),
    ]
    assert settle([unsure, (Layout.VECTOR,)]) == [FIRST, Layout.VECTOR]
