"""A traced network is the model it was made of, in pieces."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sakd.foundation.errors import UserError
from sakd.networks import TracedNetwork, feature_shapes, stage

from .models import (
    Auxiliary,
    Chance,
    ChannelsLast,
    Frozen,
    Noisy,
    Numbered,
    Options,
    Overwriting,
    Plain,
    Tokens,
    Untraceable,
)

IMAGE = (3, 8, 8)
MODELS: dict[str, Callable[[], nn.Module]] = {
    "plain": Plain,
    "overwriting": Overwriting,
    "auxiliary": lambda: Auxiliary("named"),
    "frozen": Frozen,
    "noisy": Noisy,
    "numbered": Numbered,
    "options": Options,
    "tokens": Tokens,
    "channels last": ChannelsLast,
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return MODELS[request.param]()


def images(count: int = 4) -> Tensor:
    return torch.randn(count, *IMAGE)


def seeded(function: Callable[[Tensor], object], x: Tensor) -> object:
    torch.manual_seed(1)
    return function(x)


def test_a_forward_can_be_cut_anywhere(model: nn.Module) -> None:
    network, x = stage(model, IMAGE).eval(), images()
    with torch.no_grad():
        expected = model.eval()(x.clone())
        for k in range(network.depth + 2):
            assert torch.equal(network.run(network.run(x, 0, k), k), expected)


@pytest.mark.parametrize("training", [True, False])
def test_a_trace_has_the_features_as_their_stages_left_them(
    model: nn.Module, training: bool
) -> None:
    network, x = stage(model, IMAGE).train(training), images()
    features, logits = seeded(network.extract, x)
    assert [tuple(feature.shape[1:]) for feature in features] == feature_shapes(network, IMAGE)
    for k, feature in enumerate(features):
        assert torch.equal(feature, seeded(lambda x, k=k: network.run(x, 0, k + 1).clone(), x))
    assert torch.equal(logits, seeded(network, x))


def test_in_training_it_does_what_the_model_does_with_the_same_random_numbers(
    model: nn.Module,
) -> None:
    network, x = stage(model, IMAGE), images()
    state = copy.deepcopy(model.state_dict())
    outputs = seeded(model.train(), x.clone())
    moved = copy.deepcopy(model.state_dict())
    model.load_state_dict(state)
    ours = seeded(network.train(), x)
    assert torch.equal(ours, outputs if isinstance(outputs, Tensor) else outputs[0])
    assert all(torch.equal(moved[name], value) for name, value in network.state_dict().items())


def test_the_state_dict_is_the_models_own() -> None:
    model = Plain()
    names = list(model.state_dict())
    network = stage(model, IMAGE)
    assert list(network.state_dict()) == names
    assert dict(network.named_parameters()).keys() == dict(model.named_parameters()).keys()
    other = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    x = images()
    network.eval(), other.eval()
    assert not torch.equal(network(x), other(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(x), other(x))


class Versioned(Plain):
    """Loads no state that does not say of which version it is, as one of torchvision's does."""

    def _load_from_state_dict(self, *_state: object) -> None:
        raise ValueError("no version")


def test_a_state_is_loaded_by_its_names_alone() -> None:
    network, other = (stage(Versioned(), IMAGE).eval() for _ in range(2))
    other.load_state_dict(dict(network.state_dict()))
    x = images()
    assert torch.equal(network(x), other(x))


def test_weights_and_buffers_follow_to_another_type() -> None:
    network = stage(Plain(), IMAGE).double().eval()
    assert network(images().double()).dtype == torch.float64
    assert copy.deepcopy(network).float()(images()).dtype == torch.float32


def test_a_new_weight_reaches_the_stages() -> None:
    network = stage(Plain(), IMAGE).eval()
    x = images()
    before = network(x)
    network.load_state_dict({k: torch.zeros_like(v) for k, v in network.state_dict().items()})
    assert not torch.equal(network(x), before)
    assert torch.equal(network(x), torch.zeros(4, 3))


@pytest.mark.parametrize("kind", [Plain, Frozen, Noisy])
def test_staging_leaves_the_model_in_its_mode_with_its_statistics(kind: type[nn.Module]) -> None:
    model = kind()
    next(model.children()).eval()
    modes = {name: module.training for name, module in model.named_modules()}
    state = copy.deepcopy(model.state_dict())
    stage(model, IMAGE)
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("form", ["named", "tuple", "dict"])
def test_an_auxiliary_head_is_left_out_and_its_weights_stay(form: str) -> None:
    network = stage(Auxiliary(form), IMAGE).train()
    assert network(images()).shape == (4, 3)
    assert "extra.weight" in network.state_dict()


def test_maps_with_channels_last_come_out_with_channels_first() -> None:
    network = stage(ChannelsLast(), (3, 8, 12))
    assert feature_shapes(network, (3, 8, 12)) == [(8, 4, 6), (8, 4, 6), (5, 2, 3), (5,)]


def test_a_network_of_one_resolution_is_divided_into_four_stages() -> None:
    network = stage(Tokens(), IMAGE)
    assert network.stage_names == (
        *("stem", "stage1", "stage2", "stage3", "stage4", "embedding", "head"),
    )
    assert feature_shapes(network, IMAGE) == [*[(5, 8)] * 5, (8,)]
    ends = [network.origins[f"stage{k}"].split(".")[1] for k in range(1, 5)]
    assert ends == ["1", "3", "5", "7"]


def test_stages_can_be_named_by_hand() -> None:
    network = stage(Plain(), IMAGE, stages=["depth", "down"])
    assert network.stage_names == ("depth", "down", "embedding", "head")


def test_stages_end_after_the_last_use_of_just_that_submodule() -> None:
    network = stage(Numbered(), IMAGE, stages=["embedding", "conv", "conv_1"]).eval()
    assert network.origins == {
        "embedding_stage": "embedding",
        "conv": "conv#2",
        "conv_1": "conv_1",
        "embedding": "mean",
        "head": "out",
    }
    assert feature_shapes(network, IMAGE) == [(4, 8, 8), (4, 8, 8), (6, 4, 4), (6,)]


def test_an_opaque_stage_leaves_its_input_as_it_was() -> None:
    block = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(4, 6, 2, stride=2))
    layers = nn.Conv2d(3, 4, 1), block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
    network, x = stage(nn.Sequential(*layers), IMAGE, stages=["0", "1"]).eval(), images()
    assert torch.equal(network.extract(x).features[0], network.run(x, 0, 1))


@pytest.mark.parametrize(
    ("stages", "complaint"),
    [
        (["nothing"], "no cut after 'nothing'"),
        (["block"], "more than its output is needed later"),
        (["down", "depth"], "not in the order of the forward pass"),
    ],
)
def test_stages_without_a_cut_after_them_are_refused(stages: list[str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        stage(Plain(), IMAGE, stages=stages)


def test_an_untraceable_model_is_refused_with_the_way_out() -> None:
    with pytest.raises(UserError, match=r"torch.fx cannot trace .*stages=\['stem'; 'layer1'"):
        stage(Untraceable(outside=False), IMAGE)


@pytest.mark.parametrize("draw", [lambda: torch.rand(1).item(), random.random, np.random.rand])
def test_a_trace_fixes_no_random_number(draw: Callable[[], float]) -> None:
    with pytest.raises(UserError, match=r"Chance .*random numbers .*stages="):
        stage(Chance(draw), IMAGE)


class SecondName(Plain):
    """Overwrites a tensor that has a second name."""

    def forward(self, x: Tensor) -> Tensor:
        x = 2 * x
        before = x
        x += 1
        return super().forward(x * before)


def test_a_graph_with_other_logits_than_its_model_is_refused() -> None:
    with pytest.raises(UserError, match=r"SecondName .* logits .* graph"):
        stage(SecondName(), IMAGE)


class WithoutGradients(Plain):
    """Begins with a part that runs without gradients."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x = self.depth(x)
        return super().forward(x[:, :3])


def test_a_part_that_runs_without_gradients_is_refused() -> None:
    with pytest.raises(UserError, match=r"WithoutGradients .* without gradients.*stages="):
        stage(WithoutGradients(), IMAGE)
    with torch.no_grad():
        stage(Plain(), IMAGE)


@pytest.mark.parametrize(
    ("outside", "stages"),
    [(False, ["stem", "block"]), (True, ["stem", "block", "pool", "head"])],
)
def test_named_stages_need_not_be_traceable_inside(outside: bool, stages: list[str]) -> None:
    model, x = Untraceable(outside=outside), images()
    network = stage(model, IMAGE, stages=stages).eval()
    assert network.stage_names == ("stem", "block", "embedding", "head")
    assert torch.equal(network(x), model.eval()(x))
    assert feature_shapes(network, IMAGE) == [(4, 8, 8), (6, 4, 4), (6,)]


def test_named_stages_that_are_not_the_whole_forward_are_refused() -> None:
    with pytest.raises(UserError, match=r"takes images of 3x8x8, but not step by step .*mat1"):
        stage(Untraceable(outside=True, flat=False), IMAGE, stages=["stem", "block", "head"])
    with pytest.raises(UserError, match=r"stages: Untraceable has no 'layer1', but stem, block, "):
        stage(Untraceable(outside=True), IMAGE, stages=["stem", "layer1", "head"])
    whole, model = ["stem", "block", "pool", "head"], Untraceable(outside=True, dropout=0.5)
    with pytest.raises(UserError, match="not the chain of these stages"):
        stage(model, IMAGE, stages=whole)
    with pytest.raises(UserError, match="not the chain of these stages"):
        stage(Untraceable(outside=True), IMAGE, stages=["stem", "block", "pool"])
    model.stem, model.extra = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
    with pytest.raises(UserError, match="not the chain of these stages"):
        stage(model, IMAGE, stages=["stem", "extra", "block", "pool", "head"])


def test_a_model_without_logits_is_refused() -> None:
    with pytest.raises(UserError, match=r"does not give logits \(B, K\)"):
        stage(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), IMAGE)


class Probabilities(nn.Sequential):
    """Gives logits in training only."""

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.training else x.softmax(dim=1)


def test_a_model_with_logits_in_one_mode_only_is_refused() -> None:
    layers = nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    with pytest.raises(UserError, match=r"Probabilities .* logits \(B, K\), .* evaluation mode"):
        stage(Probabilities(*layers), IMAGE)


def test_images_that_do_not_fit_are_refused_in_the_models_words() -> None:
    with pytest.raises(UserError, match=r"Sequential cannot take images of 3x8x8: .*mat2.*NAME"):
        stage(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 3)), IMAGE)


def test_a_network_is_made_without_memory_for_its_weights() -> None:
    with torch.device("meta"):
        network: TracedNetwork = stage(Plain(), IMAGE, num_classes=7)
    assert network.get_parameter("head.1.weight").is_meta
    assert feature_shapes(network, IMAGE) == [(4, 8, 8), (4, 8, 8), (6, 4, 4), (6,)]
