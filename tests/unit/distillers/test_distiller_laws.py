"""The laws of every distiller in the table, for any choice of samples."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

import sakd.distillers
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.parts.labels import shifted
from sakd.networks.spots import SpotFamily
from unit.tables import concrete

SIZE = 5
DEPTH = 5
LOGITS = SpotFamily.LOGITS.spots(DEPTH, DEPTH)
SHAPES = {"CHW": (4, 4, 4), "C": (6,), "K": (7,)}

masks = st.lists(st.booleans(), min_size=SIZE, max_size=SIZE).map(torch.tensor)
seeds = st.integers(0, 1000)


def shapes_of(name: str) -> tuple[tuple[int, ...], ...]:
    """Give the shape of a feature at each spot, without the batch axis."""
    family = DISTILLERS[name].family
    axes = ("K" if spot in LOGITS else family.axes for spot in family.spots(DEPTH, DEPTH))
    return tuple(SHAPES[letters] for letters in axes)


def make(name: str, seed: int = 0) -> Distiller:
    """Build a distiller in double precision; its own modules in evaluation mode."""
    spots, shapes = DISTILLERS[name].family.spots(DEPTH, DEPTH), shapes_of(name)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DISTILLERS[name](Pair(spots, shapes, shapes, torch.arange(20) % 4)).double().eval()


def features(name: str, seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """Draw student features (B, ...) of each spot, which require a gradient, and teacher's."""
    source = torch.Generator().manual_seed(seed)
    sizes = [(SIZE, *shape) for shape in shapes_of(name)]
    student, teacher = (
        [torch.randn(size, generator=source, dtype=torch.float64) for size in sizes]
        for _ in range(2)
    )
    return [x.requires_grad_() for x in student], teacher


def batch_of(index: Tensor) -> Batch:
    images = torch.zeros(len(index), 3, 8, 8, dtype=torch.float64)
    return Batch(images, index % 4, index, 0)


def loss_and_gradients(
    distiller: Distiller,
    student: list[Tensor],
    teacher: list[Tensor],
    batch: Batch,
    chosen: Tensor,
) -> list[Tensor]:
    """List the loss over all spots, and its gradients by each spot's features and by parameters.

    Features that a loss only looks at have a gradient of 0; a parameter must not be unused. A copy
    of the distiller computes them, since some remember what they have seen.
    """
    distiller = copy.deepcopy(distiller)
    if chosen.dim() == 1:
        chosen = chosen[:, None].expand(-1, len(student))
    loss = distiller.losses(student, teacher, batch, chosen)
    trained = [p for p in distiller.parameters() if p.requires_grad]
    by_trained = torch.autograd.grad(loss, trained, retain_graph=True) if trained else ()
    seen = torch.autograd.grad(loss, student, allow_unused=True, materialize_grads=True)
    return [loss, *seen, *by_trained]


@pytest.mark.parametrize("name", DISTILLERS)
@given(chosen=masks, seed=seeds)
@example(chosen=torch.tensor([False] * 5), seed=0)
@example(chosen=torch.tensor([False, False, True, False, False]), seed=0)
@example(chosen=torch.tensor([True, False, False, True, False]), seed=0)
@example(chosen=torch.tensor([True] * 5), seed=0)
def test_masking_equals_gathering_times_the_share_chosen(
    name: str, chosen: Tensor, seed: int
) -> None:
    """It follows that the features of samples that are not chosen have no effect."""
    distiller, (student, teacher) = make(name, seed), features(name, seed)
    index = torch.arange(SIZE)
    masked = loss_and_gradients(distiller, student, teacher, batch_of(index), chosen)
    if not chosen.any():
        assert all((value == 0).all() for value in masked)
        return
    sub = [x[chosen].detach().requires_grad_() for x in student]
    everybody = torch.ones(int(chosen.sum()), dtype=torch.bool)
    rest = [x[chosen] for x in teacher]
    gathered = loss_and_gradients(distiller, sub, rest, batch_of(index[chosen]), everybody)
    for k, x in enumerate(student, start=1):
        gathered[k] = torch.zeros_like(x).index_put((chosen.nonzero()[:, 0],), gathered[k])
    share = len(everybody) / SIZE
    for ours, expected in zip(masked, gathered, strict=True):
        torch.testing.assert_close(ours, share * expected, rtol=1e-9, atol=1e-12)


WEIGHING = [name for name, kind in DISTILLERS.items() if kind.weighs]
shares = st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0]), min_size=SIZE, max_size=SIZE)


@pytest.mark.parametrize("name", WEIGHING)
@given(weights=shares, factor=st.sampled_from([0.0, 0.5, 2.0]), seed=seeds)
@example(weights=[0.0] * SIZE, factor=2.0, seed=0)
@example(weights=[0.0, 0.25, 1.0, 3.0, 0.0], factor=0.5, seed=0)
def test_shares_weigh_the_losses_of_the_samples(
    name: str, weights: list[float], factor: float, seed: int
) -> None:
    """Each sample's loss is that of a batch in which it alone is chosen."""
    distiller, (student, teacher) = make(name, seed), features(name, seed)
    batch, share = batch_of(torch.arange(SIZE)), torch.tensor(weights, dtype=torch.float64)

    def result(chosen: Tensor) -> list[Tensor]:
        return loss_and_gradients(distiller, student, teacher, batch, chosen)

    each = [result(alone) for alone in torch.eye(SIZE, dtype=torch.bool)]
    weighed, scaled = result(share), result(factor * share)
    for k, value in enumerate(weighed):
        parts = (weight * of_sample[k] for weight, of_sample in zip(share, each, strict=True))
        torch.testing.assert_close(value, sum(parts), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(scaled[k], factor * value, rtol=1e-9, atol=1e-12)
        assert share.any() or not value.any()


@pytest.mark.parametrize("name", WEIGHING)
@given(chosen=masks, seed=seeds)
def test_shares_of_0_and_1_are_a_choice_to_the_bit(name: str, chosen: Tensor, seed: int) -> None:
    distiller, (student, teacher) = make(name, seed), features(name, seed)
    batch = batch_of(torch.arange(SIZE))
    masked, shared = (
        loss_and_gradients(distiller, student, teacher, batch, x) for x in (chosen, chosen.double())
    )
    assert all(torch.equal(one, other) for one, other in zip(masked, shared, strict=True))


Fill = Callable[[Tensor, Tensor], Tensor]
FILLS: dict[str, tuple[Fill, Fill]] = {
    "ordinary": (lambda own, _: own, lambda own, _: own),
    "zeros for the student": (lambda own, _: 0 * own, lambda own, _: own),
    "zeros for the teacher": (lambda own, _: own, lambda own, _: 0 * own),
    "zeros": (lambda own, _: 0 * own, lambda own, _: 0 * own),
    "ones for the student": (lambda own, _: 0 * own + 1, lambda own, _: own),
    "ones": (lambda own, _: 0 * own + 1, lambda own, _: 0 * own + 1),
    "a huge student": (lambda own, _: 1e4 * own, lambda own, _: own),
    "a huge teacher": (lambda own, _: own, lambda own, _: 1e4 * own),
    "huge": (lambda own, _: 1e6 * own, lambda own, _: 1e6 * own),
    "tiny": (lambda own, _: 1e-8 * own, lambda own, _: 1e-8 * own),
    "squares below the smallest number": (lambda own, _: 1e-20 * own, lambda own, _: 1e-20 * own),
    "one network": (lambda _, other: other, lambda own, _: own),
    "one sample": (lambda own, _: 0 * own + own[:1], lambda own, _: 0 * own + own[:1]),
    "nothing positive": (lambda own, _: -own.abs(), lambda own, _: -own.abs()),
}
"""Features of the student and of the teacher, from their own ordinary ones and the other's."""


@pytest.mark.parametrize("name", DISTILLERS)
@pytest.mark.parametrize(("side", "size"), [(4, SIZE), (4, 1), (1, SIZE), (1, 1)], ids=str)
def test_degenerate_features_give_finite_values_and_no_chosen_sample_exact_zeros(
    name: str, side: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHAPES, "CHW", (4, side, side))
    if name == "cwd" and side == 1:
        pytest.skip("it compares positions, of which there must be several")
    distiller = make(name).float().train(size > 1)  # a batch norm in training needs two values
    student, teacher = ([x[:size].detach().float() for x in each] for each in features(name, 4))
    batch = batch_of(torch.arange(size))
    for (what, (ours, theirs)), count in product(FILLS.items(), {0, 1, size}):
        some = [ours(*both).requires_grad_() for both in zip(student, teacher, strict=True)]
        shown = [theirs(*both) for both in zip(teacher, student, strict=True)]
        chosen = torch.arange(size) < count
        for value in loss_and_gradients(distiller, some, shown, batch, chosen):
            assert value.isfinite().all(), (what, count)
            assert count or not value.any(), (what, count)


@pytest.mark.parametrize("name", DISTILLERS)
def test_the_loss_is_a_differentiable_scalar_for_the_student(name: str) -> None:
    distiller, (student, teacher) = make(name), features(name, 5)
    everybody = torch.ones(SIZE, dtype=torch.bool)
    values = loss_and_gradients(
        distiller, student, teacher, batch_of(torch.arange(SIZE)), everybody
    )
    assert values[0].shape == ()
    assert values[0] > 0
    assert all(value.isfinite().all() for value in values)
    assert any(value.any() for value in values[1 : 1 + len(student)])
    assert all(value.any() for value in values[1 + len(student) :])


# Where the loss of a spot reaches features of other spots too: from a choice (B, spots) to the
# features that it makes count.
REACH: dict[str, Callable[[Tensor], Tensor]] = {
    "reviewkd": lambda chosen: chosen.cummax(dim=1).values,  # its own spot and all deeper ones
    "afd": lambda chosen: chosen.any(dim=1, keepdim=True).expand_as(chosen),  # all spots
    "l2tww": lambda chosen: chosen.any(dim=1, keepdim=True).expand_as(chosen),  # all spots
}


@pytest.mark.parametrize("name", [name for name in DISTILLERS if len(features(name, 0)[0]) > 1])
@given(seed=seeds)
def test_every_spot_has_its_own_choice(name: str, seed: int) -> None:
    distiller, (student, teacher) = make(name), features(name, seed)
    source = torch.Generator().manual_seed(seed)
    chosen = torch.rand(SIZE, len(student), generator=source) < 0.6
    batch = batch_of(torch.arange(SIZE))
    loss, *gradients = loss_and_gradients(distiller, student, teacher, batch, chosen)
    counts = REACH.get(name, Tensor.clone)(chosen).unbind(dim=1)
    others = [
        (~counted).view(-1, *[1] * (x.dim() - 1))
        for counted, x in zip(counts, student, strict=True)
    ]
    assert not any(
        (gradient * away).any() for gradient, away in zip(gradients, others, strict=False)
    )
    moved = [x + 7 * away for x, away in zip(student, others, strict=True)]
    changed, *_ = loss_and_gradients(distiller, moved, teacher, batch, chosen)
    torch.testing.assert_close(loss, changed, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["reviewkd", "category", "afd", "l2tww"])
def test_of_one_spot_the_loss_of_all_is_its_own(name: str) -> None:
    spots, shapes = DISTILLERS[name].family.spots(DEPTH, DEPTH)[:1], shapes_of(name)[:1]
    distiller = DISTILLERS[name](Pair(spots, shapes, shapes, torch.arange(20) % 4)).double().eval()
    (student, *_), (teacher, *_) = features(name, 3)
    batch, chosen = batch_of(torch.arange(SIZE)), torch.arange(SIZE) != 2
    together = distiller.losses([student], [teacher], batch, chosen[:, None])
    alone = distiller.loss(0, student, teacher, batch, chosen)
    torch.testing.assert_close(alone, together)
    assert alone > 0


@pytest.mark.parametrize("name", DISTILLERS)
def test_shapes_are_static_and_no_value_is_waited_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the meta device, where tensors have shapes and no values, and generators are none."""
    monkeypatch.setattr(Batch, "draws", lambda *_: None)
    student, teacher = (
        [x.detach().to("meta").requires_grad_() for x in side] for side in features(name, 0)
    )
    tensors = [x.to("meta") for x in batch_of(torch.arange(SIZE))[:3]]
    batch = Batch(*tensors, seed=0)
    everybody = torch.ones(SIZE, dtype=torch.bool, device="meta")
    loss, *gradients = loss_and_gradients(make(name).to("meta"), student, teacher, batch, everybody)
    assert loss.shape == ()
    assert [g.shape for g in gradients[: len(student)]] == [x.shape for x in student]


# The student with nothing left to learn, where that is not the teacher's copy.
TAUGHT: dict[str, Callable[[Tensor], Tensor]] = {
    "ab": lambda teacher: 2 * teacher.sign(),
    "ka": lambda teacher: shifted(teacher, torch.arange(SIZE) % 4),
}
# What the student is asked for, its teacher need not have: logits close to the means of classes,
# or far from those of other classes.
OF_THEIR_OWN = {"category_logits", "triplet"}
UNTRAINED = [n for n in DISTILLERS if n not in OF_THEIR_OWN and not list(make(n).parameters())]


@pytest.mark.parametrize("name", UNTRAINED)
@given(chosen=masks, seed=seeds)
def test_a_student_that_has_what_its_teacher_shows_has_nothing_to_learn(
    name: str, chosen: Tensor, seed: int
) -> None:
    distiller, (_, teacher) = make(name), features(name, seed)
    student = [TAUGHT.get(name, Tensor.clone)(x).requires_grad_() for x in teacher]
    batch = batch_of(torch.arange(SIZE))
    loss, *gradients = loss_and_gradients(distiller, student, teacher, batch, chosen)
    assert loss.detach().abs() < 1e-12
    assert all(gradient.norm() < 1e-6 for gradient in gradients)


def test_every_distiller_in_the_package_is_in_the_table() -> None:
    assert concrete(sakd.distillers, Distiller) == set(DISTILLERS.values())
