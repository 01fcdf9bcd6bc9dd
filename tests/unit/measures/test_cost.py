"""Parameters, operations, bytes and times of networks that can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Splits
from sakd.measures import cost
from sakd.measures.cost import latency
from sakd.measures.memory import Alive
from sakd.study.networks import fresh_network
from sakd.weights.saved import Weights, save_weights

CPU = torch.device("cpu")


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, 5),
    )


def test_parameters_and_multiplications_are_those_of_its_layers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = cost(network(), (3, 6, 6), CPU)
    assert found["parameters"] == 4 * 3 * 9 + 2 * 4 + (144 * 5 + 5)
    assert found["macs"] == 36 * 4 * 27 + 144 * 5
    times = {f"latency_b{size}_{name}_ms" for size in (1, 64) for name in ("p50", "p95")}
    counts = {"parameters", "macs", "file_bytes", "peak_bytes"}
    assert set(found) == counts | times
    assert {name for name in found if isinstance(found[name], int)} == counts
    assert capsys.readouterr().out == ""


def test_the_file_is_as_large_as_it_is_on_disk(splits: Splits, tmp_path: Path) -> None:
    made = fresh_network("resnet8", splits.card)
    save_weights(Weights(made.state_dict()), tmp_path / "last.safetensors")
    size = (tmp_path / "last.safetensors").stat().st_size
    assert cost(made, splits.card.image_shape, CPU)["file_bytes"] == size


def test_the_peak_is_of_the_tensors_that_are_needed_at_one_time() -> None:
    first, second, weights = 64 * 1000 * 4, 64 * 10 * 4, (10 * 1000 + 1000 * 10) * 4
    layers = nn.Sequential(nn.Linear(10, 1000, bias=False), nn.Linear(1000, 10, bias=False))
    found = cost(layers.append(nn.Flatten()), (10,), CPU)  # type: ignore[arg-type]
    assert found["peak_bytes"] == weights + 64 * 10 * 4 + first + second


def test_memory_that_is_given_back_or_only_viewed_counts_once() -> None:
    held, small = torch.zeros(100), torch.zeros(2)
    with torch.no_grad(), Alive([held, small]) as alive:
        for _ in range(5):
            made = held + 1
            made.view(10, 10).t().add_(1)
            del made
        assert alive.peak == 2 * 400 + 8
        several = [held + 1, held + 2]
    assert alive.peak == 3 * 400 + 8, several


def test_operations_are_run_as_they_are_called() -> None:
    with Alive([]) as alive:
        made = torch.full((3,), 2, dtype=torch.float16)
    assert made.tolist() == [2.0] * 3
    assert alive.peak == made.nbytes == 3 * 2


@pytest.mark.parametrize(("pass_seconds", "passes"), [(0.001, 50), (1.0, 5), (0.025, 10)])
def test_slow_networks_are_timed_less_often(pass_seconds: float, passes: int) -> None:
    network = Slow(pass_seconds)
    found = latency(network, torch.zeros(1), lambda: network.now)
    assert found == pytest.approx({"p50": 1000 * pass_seconds, "p95": 1000 * pass_seconds})
    assert network.passes == 1 + passes  # the first is not counted


def test_percentiles_are_of_the_passes_after_the_first() -> None:
    ends = iter([100.0, *(float(k) for k in range(1, 6))])
    state = {"start": True}

    def clock() -> float:
        state["start"] = not state["start"]
        return next(ends) if state["start"] else 0.0

    assert latency(nn.Identity(), torch.zeros(1), clock) == pytest.approx(
        {"p50": 3000.0, "p95": 4800.0}
    )


class Slow(nn.Module):
    """A network that has a clock, which goes on by ``seconds`` with every pass."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.passes = seconds, 0

    @property
    def now(self) -> float:
        return self.passes * self.seconds

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        return images


def test_the_network_is_measured_in_evaluation_mode_and_stays_as_it_was() -> None:
    made = network().train()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    cost(made, (3, 6, 6), CPU)
    assert all(torch.equal(made.state_dict()[name], value) for name, value in before.items())
