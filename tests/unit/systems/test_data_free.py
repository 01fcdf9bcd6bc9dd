"""Learning without images: nothing of a batch but its size is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.foundation.errors import UserError
from sakd.systems import SYSTEMS, System
from sakd.systems.dafl import DAFLSettings, typical
from sakd.systems.dfad import DFADSettings
from sakd.systems.parts.generator import Generator

Make = Callable[..., System[Any]]

WITHOUT_IMAGES = [name for name, kind in SYSTEMS.items() if not kind.images]


def losses(system: System[Any], batch: Batch, steps: int = 6) -> list[float]:
    """List the losses of some steps, the last of which is one of the generator."""
    system.begin_epoch(0, 1, range(steps))  # type: ignore[arg-type]
    results = [system(batch._replace(seed=seed)) for seed in range(steps)]
    return [float(loss.detach()) for result in results for loss in result.losses.values()]


@pytest.mark.parametrize("name", WITHOUT_IMAGES)
def test_neither_images_nor_labels_are_looked_at(name: str, small_system: Make) -> None:
    batch = Batch(torch.rand(4, 3, 8, 8), torch.arange(4), torch.arange(4), 0)
    other = batch._replace(images=torch.full((4, 3, 8, 8), torch.nan), labels=torch.full((4,), -1))
    assert losses(small_system(name), batch) == losses(small_system(name), other)


def test_the_game_takes_turns_and_each_turn_goes_against_the_other(small_system: Make) -> None:
    system = small_system("dfad", student_steps=2)
    batch = Batch(torch.rand(4, 3, 8, 8), torch.arange(4), torch.arange(4), 0)
    system.begin_epoch(0, 1, range(4))  # type: ignore[arg-type]
    results = [system(batch._replace(step=step)) for step in range(4)]
    assert [list(result.losses) for result in results] == [
        *[["student"]] * 2,
        ["generator"],
        ["student"],
    ]
    assert float(results[0].losses["student"].detach()) > 0
    assert float(results[2].losses["generator"].detach()) < 0
    system.begin_epoch(1, 2, range(2))  # type: ignore[arg-type]
    assert list(system(batch).losses) == ["generator"], "the third step of all"


def test_the_distance_of_dfad_by_hand(small_system: Make) -> None:
    class Says(nn.Module):
        """A network whose logits are given."""

        def __init__(self, logits: list[list[float]]) -> None:
            super().__init__()
            self.logits = torch.tensor(logits)

        def forward(self, images: Tensor) -> Tensor:
            return self.logits

    system = small_system("dfad", student_steps=1)
    system.student, system.teacher = (
        Says([[1.0, 0, -1], [0, 2, 0]]),
        Says([[2.0, 0, -2], [1, 1, 0]]),
    )
    batch = Batch(torch.rand(2, 3, 8, 8), torch.tensor([0, 1]), torch.arange(2), 0)
    system.begin_epoch(0, 1, range(2))  # type: ignore[arg-type]
    losses = [system(batch._replace(step=step)).losses for step in range(2)]
    assert float(losses[0]["student"]) == pytest.approx(0.666667, abs=1e-6)
    assert float(losses[1]["generator"]) == pytest.approx(-0.666667, abs=1e-6)


def test_terms_of_dafl_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0, -2.0], [1.0, 1.0, 0.0]])
    terms = typical(logits, torch.tensor([[1.0, -3.0], [0.0, 2.0]]))
    assert float(terms.one_hot) == pytest.approx(0.502463, abs=2e-6)
    assert float(terms.balance) == pytest.approx(-0.367839, abs=2e-6)
    assert float(terms.activation) == -1.5


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (3, 30, 18)])
def test_a_generator_makes_images_of_any_size(shape: tuple[int, ...]) -> None:
    assert Generator(3, shape, width=4)(torch.randn(2, 3)).shape == (2, *shape)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (lambda: DFADSettings(student_steps=0), "student_steps.*0"),
        (lambda: DFADSettings(latent=0), "latent.*0"),
        (lambda: DAFLSettings(generator_lr=0.0), "generator_lr.*0"),
        (lambda: DAFLSettings(balance=-1.0), "balance.*-1"),
    ],
)
def test_settings_that_cannot_train_are_refused(settings: Callable[[], object], wrong: str) -> None:
    with pytest.raises(UserError, match=wrong):
        settings()
