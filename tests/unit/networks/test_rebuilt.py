"""A student with its teacher's classifier: parts of its two networks and a projector."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sakd.foundation.errors import UserError
from sakd.networks import (
    NETWORKS,
    Chain,
    StagedNetwork,
    build_network,
    check_network,
    feature_shapes,
    stage,
)
from sakd.networks.build import REBUILDINGS
from sakd.networks.rebuilt import REUSED, ReusedClassifier
from sakd.networks.renormalised import OwnStatistics, Statistics

IMAGE = (3, 8, 8)
WIDE = (4, 6, 8, 10)
Network = Callable[..., StagedNetwork]
Pair = tuple[StagedNetwork, StagedNetwork]


class Pooled(nn.Module):
    """Not a chain of modules: it has a weight of its own, a buffer, dropout in its head."""

    def __init__(self, width: int = 6, *, bottleneck: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        )
        self.gain = nn.Parameter(torch.rand(4, 1, 1) + 0.5)
        self.register_buffer("offset", torch.rand(4, 1, 1))
        self.last = nn.Conv2d(4, width, 3, stride=2, padding=1)
        self.bottleneck = bottleneck
        self.norm = nn.BatchNorm1d(width)
        self.fc = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.last(self.features(x) * self.gain + self.offset)
        x = x if self.bottleneck else F.relu(x)
        return self.fc(F.dropout(self.norm(x.mean(dim=(2, 3))), 0.5, self.training))


def traced(**options: bool) -> StagedNetwork:
    return stage(Pooled(**options), IMAGE)


def moved(network: StagedNetwork) -> StagedNetwork:
    """Move the statistics of batch norms away from their start."""
    network.train()(torch.randn(4, *IMAGE) + 1)
    return network.eval()


@pytest.fixture(params=["zoo", "traced", "own statistics"])
def pair(request: pytest.FixtureRequest, small_network: Network) -> Pair:
    """Make a student and a teacher; each kind is in each role once."""
    if request.param == "zoo":
        return moved(traced()), moved(small_network(1, WIDE))
    if request.param == "traced":
        return moved(small_network(0)), moved(traced())
    own, data = Statistics((0.1, 0.2, 0.3), (0.5, 0.6, 0.7)), Statistics((0.0,) * 3, (1.0,) * 3)
    return moved(small_network(0)), OwnStatistics(moved(small_network(1, WIDE)), own, data).eval()


@pytest.fixture
def student(pair: Pair) -> StagedNetwork:
    return pair[0]


@pytest.fixture
def teacher(pair: Pair) -> StagedNetwork:
    return pair[1]


@torch.no_grad()
def test_it_is_the_student_then_a_projector_then_the_teacher(
    student: StagedNetwork, teacher: StagedNetwork
) -> None:
    network, x = moved(ReusedClassifier(student, teacher, IMAGE)), torch.randn(2, *IMAGE)
    stages = (*student.stage_names[:-2], "projector", "embedding", "head")
    assert (network.stage_names, network.family) == (stages, student.family)
    maps = network.projector(student.extract(x).features[-2])
    logits = teacher.run(maps, teacher.depth - 1)
    torch.testing.assert_close(network(x), logits, rtol=0, atol=0)
    assert maps.shape[1] == feature_shapes(teacher, IMAGE)[-2][0]


@torch.no_grad()
def test_it_can_be_cut_anywhere(student: StagedNetwork, teacher: StagedNetwork) -> None:
    network, x = moved(ReusedClassifier(student, teacher, IMAGE)), torch.randn(2, *IMAGE)
    for k in range(network.depth + 2):
        assert torch.equal(network.run(network.run(x, 0, k), k), network(x))
    features, logits = network.extract(x)
    assert torch.equal(logits, network(x))
    assert len(features) == network.depth


def test_it_holds_what_is_deployed_and_nothing_else(
    student: StagedNetwork, teacher: StagedNetwork
) -> None:
    network = ReusedClassifier(student, teacher, IMAGE).eval()
    used = torch.autograd.grad(
        network.requires_grad_(True)(torch.randn(2, *IMAGE)).sum(), list(network.parameters())
    )
    assert all(gradient.isfinite().all() for gradient in used)
    source, target = (feature_shapes(n, IMAGE)[-2][0] for n in (student, teacher))
    half = target // 2
    projector = source * half + 9 * half**2 + half * target + 2 * (half + half + target)
    count = {n: sum(p.numel() for p in n.parameters()) for n in (student, teacher, network)}
    head, classifier = tail_size(student), tail_size(teacher)
    assert count[network] == count[student] - head + projector + classifier
    assert {name.split(".")[0] for name in network.state_dict()} <= {*network.stage_names}


def tail_size(network: StagedNetwork) -> int:
    """Count the parameters after the last map."""
    features = [f.detach() for f in network.eval().extract(torch.randn(2, *IMAGE)).features]
    logits = network.run(features[-2], network.depth - 1)
    weights = list(network.requires_grad_(True).parameters())
    gradients = torch.autograd.grad(logits.sum(), weights, allow_unused=True)
    return sum(g.numel() for g in gradients if g is not None)


def test_training_moves_the_student_and_leaves_the_teachers_part(
    student: StagedNetwork, teacher: StagedNetwork
) -> None:
    network = ReusedClassifier(student, teacher, IMAGE)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    original = {name: value.clone() for name, value in teacher.state_dict().items()}
    network.train()
    modes = {name: module.training for name, module in network.named_modules() if name}
    frozen = {name for name in modes if name.split(".")[0] in network.reused}
    assert frozen
    assert all(training != (name in frozen) for name, training in modes.items())
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.1)
    network(torch.randn(4, *IMAGE)).square().sum().backward()
    optimiser.step()
    for name, value in network.state_dict().items():
        kept = name.split(".")[0] in network.reused or name.endswith("offset")
        assert torch.equal(value, before[name]) == kept, name
    assert all(torch.equal(original[name], v) for name, v in teacher.state_dict().items())


def test_its_own_copy_of_the_teacher_can_change_without_the_teacher(teacher: StagedNetwork) -> None:
    network = ReusedClassifier(traced(), teacher, IMAGE)
    theirs = {id(value) for value in (*teacher.parameters(), *teacher.buffers())}
    assert not theirs & {id(value) for value in (*network.parameters(), *network.buffers())}


@pytest.mark.parametrize(("bottleneck", "rectified"), [(False, True), (True, False)])
def test_the_projector_ends_as_the_teachers_last_map_does(
    bottleneck: bool, rectified: bool
) -> None:
    network = ReusedClassifier(traced(), traced(bottleneck=bottleneck), IMAGE)
    maps = network.run(torch.randn(4, *IMAGE), 0, network.depth - 1)
    assert (maps >= 0).all() == rectified


def test_a_larger_map_is_averaged_to_the_teachers_size(small_network: Network) -> None:
    student, teacher = traced(), small_network(1)
    assert feature_shapes(student, IMAGE)[-2:] == [(6, 4, 4), (6,)]
    assert feature_shapes(teacher, IMAGE)[-2:] == [(8, 2, 2), (8,)]
    shapes = feature_shapes(ReusedClassifier(student, teacher, IMAGE), IMAGE)
    assert shapes[-3:] == [(6, 4, 4), (8, 2, 2), (8,)]
    shapes = feature_shapes(ReusedClassifier(teacher, student, IMAGE), IMAGE)
    assert shapes[-3:] == [(8, 2, 2), (6, 2, 2), (6,)]


@pytest.mark.parametrize(
    "name",
    [
        "resnet8@wrn_16_1",
        "MobileNetV2_x0_5 @ vgg8",
        "torchvision:mobilenet_v3_small@torchvision:resnet18(small_images=true)",
        "resnet8@resnet8x4@vgg8",
    ],
)
def test_the_name_makes_the_same_network_again(name: str) -> None:
    shape = (3, 32, 32)
    first = moved(build_network(name, num_classes=3, image_shape=shape))
    again = build_network(name, num_classes=3, image_shape=shape).eval()
    again.load_state_dict(first.state_dict())
    x = torch.randn(2, *shape)
    assert torch.equal(first(x), again(x))


def test_a_rebuilt_network_cannot_start_a_training() -> None:
    with pytest.raises(UserError, match=r"'a@b' .* name a or b"):
        check_network("a@b")
    with pytest.raises(UserError, match="unknown network 'resnet8>>resnet20'"):
        check_network("resnet8>>resnet20")


def test_no_shell_reads_the_name_of_a_rebuilt_network() -> None:
    for name in (rebuilding.name("resnet8", "resnet20") for rebuilding in REBUILDINGS):
        assert shlex.quote(name) == name


def test_a_sign_inside_of_brackets_is_an_argument() -> None:
    assert REUSED.parts("a:b(path='x@y')") is None
    assert REUSED.parts("a:b(path='x)@y')@c") == ("a:b(path='x)@y')", "c")


def test_a_network_without_maps_has_no_classifier_to_reuse(small_network: Network) -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 5))
    for pair in ((small_network(0), stage(flat, IMAGE)), (stage(flat, IMAGE), small_network(0))):
        with pytest.raises(UserError, match=r"after a map .* family 'sequential' has nothing"):
            ReusedClassifier(*pair, IMAGE)


def test_a_student_with_a_stage_called_projector_is_refused(small_network: Network) -> None:
    stages = small_network(0).stage_modules()
    renamed = {("projector" if name == "stem" else name): s for name, s in stages.items()}
    with pytest.raises(UserError, match="has a stage called projector: name it otherwise"):
        ReusedClassifier(Chain(renamed, family="toy"), small_network(1), IMAGE)


@pytest.mark.parametrize("name", ["resnet8", "vgg8", "wrn_16_1", "ShuffleNetV2"])
def test_stages_are_modules_with_the_weights_of_their_network(name: str) -> None:
    network = NETWORKS[name](num_classes=3).eval()
    assert_stages_are_modules(network)


def test_stages_of_a_graph_are_modules_with_the_weights_they_use(teacher: StagedNetwork) -> None:
    assert_stages_are_modules(teacher)
    assert_stages_are_modules(teacher.train())


def assert_stages_are_modules(network: StagedNetwork) -> None:
    x, stages = torch.randn(2, 3, 8, 8), network.stage_modules()
    assert tuple(stages) == network.stage_names
    held = [id(p) for module in stages.values() for p in module.parameters()]
    assert sorted(held) == sorted(id(p) for p in network.parameters())
    for k, module in enumerate(stages.values()):
        torch.manual_seed(k)
        expected = network.run(x.clone(), k, k + 1)
        torch.manual_seed(k)
        assert torch.equal(module.train(network.training)(x.clone()), expected)
        x = expected
