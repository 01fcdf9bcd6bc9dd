"""Any two networks can be compared, or are refused beforehand with the reason."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, stage
from sakd.networks.zoo.resnet import resnet
from sakd.objectives import DataFacts, SpotDistillation, distil
from sakd.objectives.parameters import Routing

SIZE = 16
CLASSES = 3


class Transformer(nn.Module):
    """Attention over 16 patches and a class token, on ``width`` channels."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.layers = nn.Sequential(
            *(nn.TransformerEncoderLayer(width, 2, 8, 0.0, batch_first=True) for _ in range(4))
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).mT
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.head(self.layers(x)[:, 0])


def convolutional() -> StagedNetwork:
    return resnet(CLASSES, depth=8, widths=(4, 4, 6, 8))


def tokens() -> StagedNetwork:
    return stage(Transformer(), (3, SIZE, SIZE))


def perceptron() -> StagedNetwork:
    layers = nn.Flatten(), nn.Linear(3 * SIZE**2, 8), nn.ReLU(), nn.Linear(8, CLASSES)
    return stage(nn.Sequential(*layers), (3, SIZE, SIZE))


def objective(
    student: StagedNetwork, teacher: StagedNetwork, distiller: str, width: int = SIZE
) -> SpotDistillation:
    data = DataFacts((3, SIZE, width), torch.arange(20) % CLASSES)
    return distil(student, teacher, distiller, "adaptive", data, routing=Routing(gamma=2.0))


def assert_one_step_gives_gradients(problem: SpotDistillation, width: int = SIZE) -> None:
    batch = Batch(torch.randn(4, 3, SIZE, width), torch.arange(4) % 3, torch.arange(4), 0)
    losses = problem.train()(batch).losses
    for player, (parameters, *_) in problem.players().items():
        gradients = torch.autograd.grad(losses[player], parameters, allow_unused=True)
        assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)
        assert any(gradient is not None and gradient.any() for gradient in gradients)


ANY_SHAPE = [n for n, kind in DISTILLERS.items() if kind.any_shape or kind.family.axes != "CHW"]
MAPS = [name for name in DISTILLERS if name not in ANY_SHAPE]


@pytest.mark.parametrize("distiller", ANY_SHAPE)
@pytest.mark.parametrize("networks", [(convolutional, tokens), (tokens, convolutional)])
def test_maps_and_tokens_are_compared_by_those_that_take_any_shape(
    distiller: str, networks: tuple
) -> None:
    student, teacher = networks
    assert_one_step_gives_gradients(objective(student(), teacher(), distiller))


@pytest.mark.parametrize("distiller", MAPS)
def test_a_distiller_of_maps_refuses_tokens_with_their_shape_and_spot(distiller: str) -> None:
    complaint = rf"'{distiller}' needs .*\(C, H, W\).* \(\d, \d+, \d+\) .* \(17, 8\); .* kd, fitnet"
    with pytest.raises(UserError, match=complaint):
        objective(convolutional(), tokens(), distiller)


@pytest.mark.parametrize("distiller", ["fitnet", "at", "sp", "rkd", "vid", "nst"])
def test_images_need_not_be_square(distiller: str) -> None:
    problem = objective(convolutional(), small_strides(), distiller, width=24)
    assert_one_step_gives_gradients(problem, width=24)


def small_strides() -> StagedNetwork:
    """A convolutional network of other sizes: strides of 1 x 2, then of 4."""
    layers = [nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(4, 5, 3, stride=(1, 2), padding=1), nn.ReLU()]
    layers += [nn.Conv2d(5, 6, 3, stride=4, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(6, CLASSES))
    return stage(model, (3, SIZE, 24), stages=["1", "3", "5"])


@pytest.mark.parametrize("distiller", ["kd", "rkd"])
def test_a_network_without_stages_learns_at_its_ends(distiller: str) -> None:
    assert_one_step_gives_gradients(objective(perceptron(), convolutional(), distiller))


@pytest.mark.parametrize(
    ("distiller", "place"), [("at", "every stage"), ("fitnet", "hint"), ("sp", "last map")]
)
def test_a_network_without_stages_is_refused_with_a_remedy(distiller: str, place: str) -> None:
    complaint = rf"'{place}'.* student is embedding, head, .* for any network: .*kd"
    with pytest.raises(UserError, match=complaint):
        objective(perceptron(), convolutional(), distiller)
