"""Learning without images equals the authors' code: losses, gradients, a whole turn of the game."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.objectives import Optimisation
from sakd.systems.dafl import EPS, typical
from sakd.systems.dfad import DFAD, DFADSettings
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.generator import Generator
from sakd.training import Run

Equal = Callable[[Comparison], None]

FLOAT32 = 2e-6
STATE = 1e-5

BEFORE_NORMS = ("conv_blocks1.0.bias", "conv_blocks2.0.bias")
"""Their gradient is zero up to rounding, of which Adam makes a step of any size."""


@pytest.mark.parametrize("weights", ["cifar10", "cifar100"])
def test_the_losses_of_dafl(weights: str, equal: Equal) -> None:
    case = below(f"{weights}_weights/", golden("systems/dafl"))
    found = Comparison(f"dafl {weights}")
    names = ("logits_t", "features_t", "logits_s")
    teacher, embedding, student = (case[name].clone().requires_grad_() for name in names)
    terms = typical(teacher, embedding)
    learnt = divergence(student, teacher.detach())
    made = case["oh"] * terms.one_hot + case["ie"] * terms.balance + case["a"] * terms.activation
    theirs = ("loss_one_hot", "loss_information_entropy", "loss_activation", "loss_kd", "total")
    for name, value in zip(theirs, (*terms, learnt, made + learnt), strict=True):
        found.check("loss", name, value, case[name], FLOAT32)
    (made + learnt).backward()
    for name, tensor in zip(names, (teacher, embedding, student), strict=True):
        found.check("gradient", name, tensor.grad, case[f"grad_{name}"], FLOAT32)
    equal(found)


def test_the_generator_of_dafl(equal: Equal) -> None:
    case, found = below("generator/", golden("systems/dafl")), Comparison("dafl generator")
    torch.set_default_dtype(torch.float32)  # in which the authors' weights were drawn
    torch.manual_seed(int(case["seed"]))
    generator = Generator(case["z"].shape[1], tuple(case["image"].shape[1:]), eps=EPS)
    assert sum(p.numel() for p in generator.parameters()) == case["parameters"]
    norms = [module.eps for module in generator if isinstance(module, nn.BatchNorm2d)]
    assert norms == pytest.approx(case["bn_eps"].tolist())
    found.check("images", "image", generator.double()(case["z"]), case["image"], FLOAT32)
    equal(found)


class Given(DFAD):
    """The game with noise that is given, within the authors' first epochs."""

    falls = ()
    draws: Iterator[Tensor]

    def noise(self, batch: Batch) -> Tensor:
        return next(self.draws)


def network(state: Golden) -> nn.Module:
    layers = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()]
    made = nn.Sequential(*layers, nn.Linear(256, 5))
    made.load_state_dict(state)
    return made


def renamed(generator: nn.Module, state: Golden) -> OrderedDict[str, Tensor]:
    """Give the state, whose layers are in the same order, the names of ``generator``."""
    return OrderedDict(zip(generator.state_dict(), state.values(), strict=True))


def test_a_turn_of_dfad(equal: Equal) -> None:
    case, found = below("step/", golden("systems/dfad")), Comparison("dfad turn")
    before, after = below("before/", case), below("after/", case)
    teacher, student = (network(below(f"{name}/", before)) for name in ("teacher", "student"))
    draws = case["z"].flatten(2)
    generator = Generator(draws.shape[2], (1, 8, 8), width=4)
    generator.load_state_dict(renamed(generator, below("generator/", before)))
    players: Any = (student, teacher)
    game = Given(*players, generator, DFADSettings(latent=draws.shape[2]))
    game.draws = iter(draws)
    recipe = Optimisation(lr=0.1, momentum=0.9, weight_decay=5e-4, milestones=())
    run = Run(game, epochs=1, optimisation={"student": recipe})
    losses: list[Tensor] = []
    game.register_forward_hook(lambda _game, _given, result: losses.extend(result.losses.values()))
    game.train()
    game.begin_epoch(0, 1, range(6))  # type: ignore[arg-type]  # six steps
    batch = Batch(torch.zeros(6, 1, 8, 8), torch.arange(6) % 5, torch.arange(6), 0)
    for step in range(6):
        run.learn(batch._replace(step=step))
    found.check("loss", "all", torch.stack(losses).detach(), case["losses"], FLOAT32)
    for who, trained in {"student": student, "teacher": teacher, "generator": generator}.items():
        reached = below(f"{who}/", after)
        for (name, theirs), value in zip(
            reached.items(), trained.state_dict().values(), strict=True
        ):
            if who != "generator" or name not in BEFORE_NORMS:
                found.check(who, name, value.squeeze(), theirs.squeeze(), STATE)
    equal(found)
