"""Policies that are rules: better, agreeing, uncertain."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from sakd.data.batches.mixing import Mixture
from sakd.distillers import DISTILLERS, Pair
from sakd.foundation.errors import UserError
from sakd.networks.spots import Spot
from sakd.objectives import Routing
from sakd.routing import RoutingPolicy, Scene
from sakd.routing.uncertain import doubt

Make = Callable[..., RoutingPolicy]
Scenes = Callable[..., Scene]
seeds = st.integers(0, 1000)


def chosen(policy: RoutingPolicy, scene: Scene) -> list[bool]:
    """Give the choice, which is the same at every spot."""
    share = policy(scene).share
    assert torch.equal(share, share[:, :1].expand_as(share))
    return share[:, 0].tolist()


@given(seed=seeds, mixed=st.booleans())
def test_better_takes_the_samples_on_which_the_teacher_has_the_lower_loss(
    seed: int, mixed: bool, make: Make, scene: Scenes
) -> None:
    seen = scene(seed)
    own = seen.batch.labels
    partner, share = own.flip(0), 0.3 if mixed else 1.0
    if mixed:
        seen = scene(seed, mixture=Mixture(partner, torch.tensor(share)))

    def losses(logits: Tensor) -> list[float]:
        chances = logits.double().softmax(dim=1).tolist()
        return [
            -share * math.log(row[a]) - (1 - share) * math.log(row[b])
            for row, a, b in zip(chances, own, partner, strict=True)
        ]

    pairs = zip(losses(seen.student.logits), losses(seen.teacher.logits), strict=True)
    assert chosen(make("better"), seen) == [theirs < ours for ours, theirs in pairs]


def test_better_takes_nobody_whose_student_is_as_good(make: Make, scene: Scenes) -> None:
    logits = torch.randn(6, 5)
    assert not any(chosen(make("better"), scene(logits=(logits, logits))))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("share", [None, 0.3, [0.3, 1.0, 0.0, 0.9, 0.5, 0.2, 0.7]])
@given(seed=seeds)
def test_agreeing_takes_the_samples_whose_gradients_have_no_negative_cosine(
    temperature: float, share: float | list[float] | None, seed: int, make: Make, scene: Scenes
) -> None:
    mixture = None if share is None else Mixture(torch.arange(7) % 5, torch.tensor(share))
    seen = scene(seed, mixture=mixture)
    logits = seen.student.logits.double().requires_grad_()
    pair = Pair((Spot(1, 1),), ((5,),), ((5,),), torch.arange(5))
    kd = DISTILLERS["kd"](pair, temperature=temperature)
    everybody = torch.ones(7, dtype=torch.bool)
    knowledge = kd.loss(0, logits, seen.teacher.logits.double(), seen.batch, everybody)
    label = cross_entropy(logits, seen.batch.labels, reduction="none")
    if mixture is not None:
        other = cross_entropy(logits, mixture.partner, reduction="none")
        label = mixture.share * label + (1 - mixture.share) * other
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (knowledge, label.sum())]
    cosines = cosine_similarity(*gradients, dim=1)
    clear = [k for k, cosine in enumerate(cosines.tolist()) if abs(cosine) > 1e-4]
    found = chosen(make("agreeing", temperature=temperature), seen)
    assert [found[k] for k in clear] == [bool(cosines[k] >= 0) for k in clear]
    assert clear


def test_agreeing_takes_everybody_whose_student_says_the_same(make: Make, scene: Scenes) -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    assert all(chosen(make("agreeing"), scene(logits=(logits, logits))))


def test_agreeing_takes_everybody_whose_teacher_says_the_label(make: Make, scene: Scenes) -> None:
    labels = torch.arange(7) % 5
    sure = 50 * torch.eye(5)[labels]
    student = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    policy = make("agreeing", temperature=1.0)
    assert all(chosen(policy, scene(logits=(student, sure), labels=labels)))


def test_agreeing_takes_nobody_whose_teacher_says_another_class(make: Make, scene: Scenes) -> None:
    labels = torch.arange(7) % 5
    wrong = 50 * torch.eye(5)[(labels + 1) % 5]
    unknowing = torch.zeros(7, 5)
    assert not any(chosen(make("agreeing"), scene(logits=(unknowing, wrong), labels=labels)))


SCORES = {
    "entropy": lambda p: -sum(x * math.log(x) for x in p),
    "confidence": lambda p: 1 - max(p),
    "margin": lambda p: sorted(p)[-2] - sorted(p)[-1],
}


@pytest.mark.parametrize("score", SCORES)
@given(seed=seeds, share=st.sampled_from([0.01, 0.3, 0.75, 1.0]))
def test_uncertain_takes_the_samples_of_the_highest_score(
    score: str, seed: int, share: float, make: Make, scene: Scenes
) -> None:
    seen = scene(seed, size=8)
    scores = [SCORES[score](p) for p in seen.student.logits.double().softmax(dim=1).tolist()]
    assert doubt(seen.student.logits, score).tolist() == pytest.approx(scores, abs=1e-6)
    count = {0.01: 1, 0.3: 2, 0.75: 6, 1.0: 8}[share]
    expected = sorted(range(8), key=lambda k: -scores[k])[:count]
    found = chosen(make("uncertain", score=score, share=share), seen)
    assert sorted(expected) == [k for k, taken in enumerate(found) if taken]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"uncertain": {"share": 0.0}}, "share must be above 0 and at most 1, got 0"),
        ({"uncertain": {"share": 1.5}}, "share must be above 0 and at most 1, got 1.5"),
        ({"uncertain": {"score": "entropie"}}, "'entropy' or 'confidence' or 'margin'.*entropie"),
        ({"agreeing": {"temperature": 0.0}}, "temperature must be above 0, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, dict[str, float | str]], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        Routing(options=options).check()
