"""Policies and scenes in miniature: embeddings of two widths, three decisions, five classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.routing import POLICIES, RoutingPolicy, Scene, View
from sakd.tasks import CLASSIFICATION

WIDTHS, DECISIONS, CLASSES = (8, 6), 3, 5

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]


@pytest.fixture(scope="session")
def make() -> Make:
    """Build a policy from a seed."""

    def build(name: str, seed: int = 0, **options: float) -> RoutingPolicy:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return POLICIES[name](*WIDTHS, DECISIONS, **options)

    return build


@pytest.fixture(scope="session")
def scene() -> Scenes:
    """Draw a scene from a seed; any part may be given instead."""

    def draw(
        seed: int = 0,
        size: int = 7,
        *,
        embeddings: tuple[Tensor, Tensor] | None = None,
        logits: tuple[Tensor, Tensor] | None = None,
        labels: Tensor | None = None,
        mixture: Mixture | None = None,
    ) -> Scene:
        source = torch.Generator().manual_seed(seed)
        if logits is not None:
            size = len(logits[0])
        drawn = [torch.randn(size, width, generator=source) for width in WIDTHS]
        scores = [torch.randn(size, CLASSES, generator=source) for _ in WIDTHS]
        targets = torch.randint(CLASSES, (size,), generator=source)
        targets = targets if labels is None else labels
        batch = Batch(torch.zeros(size, 3, 4, 4), targets, torch.arange(size), seed, mixture)
        judge = partial(CLASSIFICATION.losses, batch=batch)
        both = zip(embeddings or drawn, logits or scores, strict=True)
        views = [View((vector, z), lambda features: features[-1], judge) for vector, z in both]
        return Scene(*views, batch)

    return draw
