"""With one number of threads the same seed gives the same bits, whatever that number is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Augment, BatchStream, ImageSet
from sakd.distillers import DISTILLERS
from sakd.foundation.determinism import compute_deterministically
from sakd.networks import StagedNetwork
from sakd.objectives import DataFacts, Distillation, Objective, Optimisation, distil
from sakd.systems import SYSTEMS, Situation
from sakd.training import fit, pretrain

IMAGE, COUNT, CLASSES = (3, 8, 8), 96, 5
WIDTHS = (32, 32, 48, 64)  # so large that threads share the work
OF_FAMILIES = {kind.family: name for name, kind in reversed(list(DISTILLERS.items()))}
OF_PARTNERS = {kind.partner: name for name, kind in reversed(list(SYSTEMS.items()))}


@pytest.fixture(params=[1, 2])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compute with one thread, and with two."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def trained(
    small_network: Callable[..., StagedNetwork],
    small_situation: Callable[..., Situation],
    brief: Any,
) -> Callable[[str], Any]:
    """Train by a distiller or a system, for an epoch; give the history and the state."""
    facts = DataFacts(IMAGE, torch.arange(COUNT) % CLASSES)

    def fresh(number: int, _partner: bool = False) -> StagedNetwork:
        return small_network(number, WIDTHS)

    def objective(name: str) -> Objective:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            if name not in SYSTEMS:
                how = Distillation(options=brief)
                return distil(fresh(1), fresh(2), name, "adaptive", facts, distillation=how)
            kind = SYSTEMS[name]
            situation = small_situation(kind.partner, 0, WIDTHS)
            wide = replace(situation, student=fresh(1), data=facts, fresh=fresh)
            return kind.of(wide, kind.settings())

    def train(name: str) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
        source = torch.Generator().manual_seed(7)
        pixels = torch.randint(256, (COUNT, *IMAGE), generator=source).to(torch.uint8)
        images, varied = ImageSet(pixels, facts.train_labels), Augment(crop_padding=1, flip=True)
        stream = BatchStream(images, (0.5,) * 3, (0.25,) * 3, batch_size=48, seed=1, augment=varied)
        made = objective(name)
        pretrain(made, stream)
        recipe = {"student": Optimisation(lr=0.02)}
        return fit(made, stream, epochs=1, optimisation=recipe), made.state_dict()

    return train


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("name", [*OF_FAMILIES.values(), *OF_PARTNERS.values()])
def test_the_same_seed_gives_the_same_bits_with_as_many_threads(
    name: str, trained: Callable[[str], Any]
) -> None:
    (history, state), (again, other) = trained(name), trained(name)
    assert history == again
    assert all(torch.equal(value, other[key]) for key, value in state.items())


@pytest.mark.usefixtures("usual_operations")
@pytest.mark.parametrize("name", [*OF_FAMILIES.values(), *OF_PARTNERS.values()])
def test_deterministic_operations_change_no_bits_on_a_cpu(
    name: str, trained: Callable[[str], Any]
) -> None:
    history, state = trained(name)
    compute_deterministically()
    again, other = trained(name)
    assert history == again
    assert all(torch.equal(value, other[key]) for key, value in state.items())
