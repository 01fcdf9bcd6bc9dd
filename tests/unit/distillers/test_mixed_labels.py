"""Distillers that look at labels take one label of a mixed image."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.distillers import Distiller

SHAPES = {
    "dkd": (6,),
    "ka": (6,),
    "dtd": (6,),
    "triplet": (6,),
    "category": (2, 2, 2),
    "category_logits": (6,),
}
OPTIONS = {"dtd": {"adjust": True}}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("share", "own"), [(0.7, True), (0.5, True), (0.3, False)])
def test_a_mixed_image_counts_by_the_label_with_the_larger_share(
    name: str, share: float, own: bool, build: Callable[..., Distiller]
) -> None:
    distiller = build(name, [SHAPES[name]], [SHAPES[name]], **OPTIONS.get(name, {}))
    student, teacher = torch.randn(2, 5, *SHAPES[name]).double()
    everybody = torch.ones(5, dtype=torch.bool)
    labels, partners = torch.tensor([0, 1, 2, 3, 0]), torch.tensor([4, 4, 2, 0, 0])

    def loss(batch: Batch) -> torch.Tensor:
        return distiller.loss(0, student, teacher, batch, everybody).detach()

    plain = Batch(torch.zeros(5, 1, 4, 4), labels, torch.arange(5), 0)
    others = plain._replace(labels=partners)
    mixed = plain._replace(mixture=Mixture(partners, torch.tensor(share)))
    assert torch.equal(loss(mixed), loss(plain if own else others))
    each = Mixture(partners, torch.tensor([share, 0.6, 0.4, 0.5, 0.1]))
    leading = torch.where(each.share >= 0.5, labels, partners)
    assert torch.equal(loss(plain._replace(mixture=each)), loss(plain._replace(labels=leading)))
    assert not torch.equal(loss(plain), loss(others))
