"""The laws of every distiller in the table, for any choice of samples."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
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

SIZE = 5
DEPTH = 5
SHAPES = {
    SpotFamily.EVERY_STAGE: (4, 4, 4),
    SpotFamily.EVERY_MAP: (4, 4, 4),
    SpotFamily.HINT: (4, 4, 4),
    SpotFamily.LAST_MAP: (4, 4, 4),
    SpotFamily.EMBEDDING: (6,),
    SpotFamily.LOGITS: (7,),
}

masks = st.lists(st.booleans(), min_size=SIZE, max_size=SIZE).map(torch.tensor)
seeds = st.integers(0, 1000)


def make(name: str, seed: int = 0) -> Distiller:
    """Build a distiller in double precision; its own modules in evaluation mode."""
    spots = DISTILLERS[name].family.spots(DEPTH, DEPTH)
    shapes = (SHAPES[DISTILLERS[name].family],) * len(spots)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DISTILLERS[name](Pair(spots, shapes, shapes, torch.arange(20) % 4)).double().eval()


def features(name: str, seed: int) -> tuple[Tensor, Tensor]:
    """Draw student features (spots, B, ...) that require a gradient, and teacher features."""
    source = torch.Generator().manual_seed(seed)
    family = DISTILLERS[name].family
    shape = (len(family.spots(DEPTH, DEPTH)), SIZE, *SHAPES[family])
    student, teacher = torch.randn(2, *shape, generator=source, dtype=torch.float64)
    return student.requires_grad_(), teacher


def batch_of(index: Tensor) -> Batch:
    images = torch.zeros(len(index), 3, 8, 8, dtype=torch.float64)
    return Batch(images, index % 4, index, 0)


def loss_and_gradients(
    distiller: Distiller, student: Tensor, teacher: Tensor, batch: Batch, chosen: Tensor
) -> list[Tensor]:
    """List the loss over all spots, and its gradients by features and trained parameters.

    A copy of the distiller computes them, since some remember what they have seen.
    """
    distiller = copy.deepcopy(distiller)
    if chosen.dim() == 1:
        chosen = chosen[:, None].expand(-1, len(student))
    loss = distiller.losses(student.unbind(), teacher.unbind(), batch, chosen)
    wanted = [student, *(p for p in distiller.parameters() if p.requires_grad)]
    return [loss, *torch.autograd.grad(loss, wanted)]


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
    sub = student[:, chosen].detach().requires_grad_()
    everybody = torch.ones(int(chosen.sum()), dtype=torch.bool)
    gathered = loss_and_gradients(
        distiller, sub, teacher[:, chosen], batch_of(index[chosen]), everybody
    )
    spread = torch.zeros_like(student)
    spread[:, chosen] = gathered[1]
    share = len(everybody) / SIZE
    for ours, expected in zip(masked, [gathered[0], spread, *gathered[2:]], strict=True):
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


@pytest.mark.parametrize("name", DISTILLERS)
def test_degenerate_features_give_finite_values_and_no_chosen_sample_exact_zeros(
    name: str,
) -> None:
    distiller, (student, teacher) = make(name).float(), features(name, 4)
    batch = batch_of(torch.arange(SIZE))
    for fill, count in product((0.0, 1.0, 1e4, None), (0, 1, 2)):
        some = student if fill is None else torch.full_like(student, fill)
        some = some.detach().float().requires_grad_()
        chosen = torch.arange(SIZE) < count
        for value in loss_and_gradients(distiller, some, teacher.float(), batch, chosen):
            assert value.isfinite().all(), (fill, count)
            assert count or not value.any(), (fill, count)


@pytest.mark.parametrize("name", DISTILLERS)
def test_the_loss_is_a_differentiable_scalar_for_the_student(name: str) -> None:
    distiller, (student, teacher) = make(name), features(name, 5)
    everybody = torch.ones(SIZE, dtype=torch.bool)
    values = loss_and_gradients(
        distiller, student, teacher, batch_of(torch.arange(SIZE)), everybody
    )
    assert values[0].shape == ()
    assert values[0] > 0
    assert all(value.isfinite().all() and value.any() for value in values)


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
    loss, gradient, *_ = loss_and_gradients(distiller, student, teacher, batch, chosen)
    counts = REACH.get(name, Tensor.clone)(chosen)
    others = (~counts).T.reshape(*counts.T.shape, *[1] * (student.dim() - 2))
    assert not (gradient * others).any()
    changed, *_ = loss_and_gradients(distiller, student + 7 * others, teacher, batch, chosen)
    torch.testing.assert_close(loss, changed, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", DISTILLERS)
def test_shapes_are_static_and_no_value_is_waited_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the meta device, where tensors have shapes and no values, and generators are none."""
    monkeypatch.setattr(Batch, "draws", lambda *_: None)
    student, teacher = (x.detach().to("meta").requires_grad_() for x in features(name, 0))
    tensors = [x.to("meta") for x in batch_of(torch.arange(SIZE))[:3]]
    batch = Batch(*tensors, seed=0)
    everybody = torch.ones(SIZE, dtype=torch.bool, device="meta")
    loss, gradient, *_ = loss_and_gradients(
        make(name).to("meta"), student, teacher, batch, everybody
    )
    assert (loss.shape, gradient.shape) == ((), student.shape)


# The student with nothing left to learn, where that is not the teacher's copy.
TAUGHT: dict[str, Callable[[Tensor], Tensor]] = {
    "ab": lambda teacher: 2 * teacher.sign(),
    "ka": lambda teacher: shifted(teacher[0], torch.arange(SIZE) % 4)[None],
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
    student = TAUGHT.get(name, Tensor.clone)(teacher).requires_grad_()
    batch = batch_of(torch.arange(SIZE))
    loss, gradient = loss_and_gradients(distiller, student, teacher, batch, chosen)
    assert loss.detach().abs() < 1e-12
    assert gradient.norm() < 1e-6


def test_every_distiller_in_the_package_is_in_the_table() -> None:
    for found in pkgutil.walk_packages(sakd.distillers.__path__, "sakd.distillers."):
        module = importlib.import_module(found.name)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            public = issubclass(kind, Distiller) and not inspect.isabstract(kind)
            if public and not name.startswith("_"):
                assert kind in DISTILLERS.values(), (
                    f"{found.name}.{name} is in no line of the table"
                )
