"""No step makes the host wait for its device; and the guard that says so finds what does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from sakd.data import Augment, Batch, BatchStream, ImageSet
from sakd.distillers import DISTILLERS
from sakd.objectives import Objective, SpotDistillation, Supervised, answer
from sakd.routing import POLICIES
from sakd.training import Precision, Run
from sakd.training.capture.waits import HostWaitsError, Waits

WAITING = {"kdsvd"}  # its decomposition looks on the host whether it has converged
CASES = [
    (name, policy)
    for name, kind in DISTILLERS.items()
    for policy, routing in POLICIES.items()
    if name not in WAITING and kind.weighs >= routing.weighs
]

DEVICE = "meta"  # as far from the host as a GPU, but nothing is computed on it

FORBIDDEN: dict[str, Callable[[Tensor], object]] = {
    "item": lambda x: x[0, 0].item(),
    "float": lambda x: float(x.sum()),
    "bool": lambda x: bool((x > 0).any()),
    "equal": lambda x: torch.equal(x, x + 1),
    "nonzero": torch.nonzero,
    "where without values": lambda x: torch.where(x > 0),
    "masked_select": lambda x: x.masked_select(x > 0),
    "index by a mask": lambda x: x[x[:, 0] > 0],
    "assignment by a mask": lambda x: x.index_put_((x[:, 0] > 0,), torch.zeros(3)),
    "unique": torch.unique,
    "unique_consecutive": torch.unique_consecutive,
    "bincount": lambda x: x.long().flatten().clamp(min=0).bincount(),
    "one_hot": lambda x: torch.nn.functional.one_hot((x > 0).long()),
    "repeat_interleave": lambda x: x.repeat_interleave((x[:, 0] > 0).long(), dim=0),
    "tensor of numbers": lambda x: x + torch.tensor([1.0, 2.0, 3.0]),
    "new_tensor": lambda x: x.new_tensor(1.0),
    "to": lambda x: x.to(DEVICE),
    "copy_": lambda x: torch.empty_like(x, device=DEVICE).copy_(x),
    "tensors of two devices": lambda x: torch.empty_like(x, device=DEVICE) @ torch.ones(3, 2),
    "positions of the host": lambda x: torch.empty_like(x, device=DEVICE)[torch.arange(2)],
    "eigh": lambda x: torch.linalg.eigh(x @ x.T),
    "svd": torch.linalg.svd,
}

FINE: dict[str, Callable[[Tensor], object]] = {
    "index by positions": lambda x: x[torch.arange(2)],
    "numbers in where": lambda x: torch.where(x > 0, x, 1.0) + torch.where(x > 0, 1.0, -1.0),
    "numbers by assignment": lambda x: x.masked_fill_(x > 0, 0.5),
    "another type": lambda x: x.double().long().bool(),
    "full": lambda x: torch.full((), 0.5, device=x.device) + x.new_zeros(()),
    "topk": lambda x: x.topk(2),
    "numbers on a device": lambda x: torch.ones_like(x, device=DEVICE) * 2 + torch.ones(()),
    "a size given": lambda x: x.repeat_interleave(torch.ones(4).long(), dim=0, output_size=4),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_whatever_makes_the_host_wait_is_found(name: str) -> None:
    x = torch.randn(4, 3)
    with Waits() as waits:
        FORBIDDEN[name](x)
    assert waits.found
    with pytest.raises(HostWaitsError), Waits(refuse=True):
        FORBIDDEN[name](x)


@pytest.mark.parametrize("name", FINE)
def test_what_does_not_make_it_wait_is_let_through(name: str) -> None:
    with Waits(refuse=True) as waits:
        FINE[name](torch.randn(4, 3))
    assert waits.found == []


def test_the_gradient_is_watched_too() -> None:
    class Peek(torch.autograd.Function):
        @staticmethod
        def forward(_ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(_ctx: object, gradient: Tensor) -> Tensor:
            return gradient * gradient.sum().item()

    x = torch.randn(3, requires_grad=True)
    y = Peek.apply(x).sum()
    with pytest.raises(HostWaitsError, match="_local_scalar_dense"), Waits(refuse=True):
        torch.autograd.grad(y, x)


def watched_steps(objective: Objective, batch: Batch, precision: Precision) -> None:
    """Take two steps, as the first may prepare what the second uses."""
    run = Run(objective, epochs=1, precision=precision)
    run.precision.lay_out(objective)
    run.objective.train()
    # On a CPU, the first images that a frozen network sees are for trying how its norms merge.
    answer([objective.request()], precision.seen(batch).images)
    for _ in range(2):
        with Waits(refuse=True):
            seen = precision.seen(batch)
            (outputs,) = answer([objective.request()], seen.images)
            run.step(seen, outputs)


@pytest.mark.parametrize(("method", "policy"), CASES)
def test_no_step_of_a_distillation_makes_the_host_wait(
    method: str,
    policy: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    watched_steps(small_objective(method, policy), small_batch(0), Precision())


@pytest.mark.parametrize(
    ("method", "policy", "objective"),
    [
        *((*case, "distillation") for case in CASES if "crd" in case or "adaptive" in case),
        ("crd", "adaptive", "unix"),
    ],
)
def test_a_step_on_a_device_takes_nothing_from_the_host(
    method: str,
    policy: str,
    objective: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # there is none of it
    batch, draws = small_batch(0), torch.Generator()
    there = Batch(*(x.to(DEVICE) for x in batch[:3]), seed=0, source=lambda _purpose: draws)
    there = there._replace(aside=there)
    run = Run(small_objective(method, policy, objective=objective).to(DEVICE), epochs=1)
    run.objective.train()
    for _ in range(2):
        with Waits(refuse=True):
            run.learn(there)


@pytest.mark.parametrize(("method", "policy"), [("at", "adaptive"), ("crd", "random")])
def test_no_step_makes_the_host_wait_in_half_precision_or_with_a_learning_teacher(
    method: str,
    policy: str,
    small_objective: Callable[..., SpotDistillation],
    small_batch: Callable[..., Batch],
) -> None:
    half = Precision(torch.bfloat16, channels_last=True)
    watched_steps(small_objective(method, policy), small_batch(0), half)
    joint = small_objective(method, policy, train_teacher=True)
    watched_steps(joint, small_batch(0), Precision())


def test_no_step_of_labels_alone_or_of_a_pretraining_makes_the_host_wait(
    small_objective: Callable[..., SpotDistillation], small_batch: Callable[..., Batch]
) -> None:
    ft = small_objective("ft", "always")
    watched_steps(Supervised(ft.student), small_batch(0), Precision())
    (problem,) = ft.pretrainings().values()
    with problem.thawed():
        watched_steps(problem, small_batch(0), Precision())


def test_no_batch_of_images_in_memory_makes_the_host_wait() -> None:
    images = ImageSet(torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8), torch.arange(20) % 5)
    augment = Augment(crop_padding=2, flip=True, cutout=3, mixup=0.2, cutmix=1.0)
    stream = BatchStream(images, [0.5] * 3, [0.25] * 3, batch_size=8, seed=0, augment=augment)
    with Waits(refuse=True):
        assert len(list(stream.epoch(0))) == 3


def test_the_step_that_does_make_the_host_wait_is_known(
    small_objective: Callable[..., SpotDistillation], small_batch: Callable[..., Batch]
) -> None:
    with pytest.raises(HostWaitsError, match="_linalg_eigh checks its result"):
        watched_steps(small_objective("kdsvd", "always"), small_batch(0), Precision())
