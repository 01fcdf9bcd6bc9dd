"""Shared by all tests: one thread, reproducible laws, small networks and batches."""

from __future__ import annotations

import gc
import io
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from sakd.data import Augment, Batch, BatchStream, ImageSet
from sakd.distillers.method import Method
from sakd.foundation.determinism import WORKSPACE
from sakd.foundation.machine import provenance
from sakd.networks import StagedNetwork
from sakd.networks.zoo.resnet import resnet
from sakd.objectives import DataFacts, Objective, PhasedDistillation, SpotDistillation, distil
from sakd.objectives.parameters import Distillation, Options, Routing
from sakd.training import Callback, Precision, Run
from surroundings import as_anywhere

as_anywhere()
torch.set_num_threads(1)

CLASSES = 5
IMAGE = (3, 8, 8)
STUDENT = (4, 4, 6, 8)
TEACHER = (6, 6, 8, 10)
TRAIN, ASIDE = 20, 7

NetworkFactory = Callable[..., StagedNetwork]
Place = tuple[int, int]
"""Epochs that are finished, and steps of the next that are taken."""


class KeptStates(Callback):
    """Keeps the state of a run after every step and every epoch, as a file has it."""

    def __init__(self) -> None:
        self.files: dict[Place, bytes] = {}

    def on_step(self, run: Run) -> None:
        written = io.BytesIO()
        torch.save(run.state(), written)
        self.files[len(run.history), run.taken] = written.getvalue()

    on_epoch = on_step

    def at(self, place: Place) -> dict[str, Any]:
        """Read the state of a place without unpickling code."""
        state: dict[str, Any] = torch.load(io.BytesIO(self.files[place]), weights_only=True)
        return state


def pytest_sessionfinish() -> None:
    """Keep what was measured, if anything is: xdist kills workers that do not end in 10 seconds."""
    module = sys.modules.get("coverage")  # which a machine for tests alone may lack
    if module and (measurement := module.Coverage.current()):
        measurement.save()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _garbage_collected() -> Iterator[None]:
    """A command that collects no garbage ends with its process, but not here."""
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _log_put_back() -> Iterator[None]:
    """A command that runs in this process shows the log of the project on the console alone."""
    logger = logging.getLogger("sakd")
    before = list(logger.handlers), logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate, logger.level = before


@pytest.fixture
def usual_operations(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the operations that torch may take back at the end."""
    monkeypatch.setenv(WORKSPACE, "")  # or it would not be put back
    monkeypatch.delenv(WORKSPACE)
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    yield
    torch.use_deterministic_algorithms(False)
    cudnn.deterministic, cudnn.benchmark = before
    provenance.cache_clear()


@pytest.fixture
def kept_states() -> KeptStates:
    """Give an observer that keeps all states of a run."""
    return KeptStates()


@pytest.fixture(scope="session")
def small_network() -> NetworkFactory:
    """Build a narrow residual network from a seed."""

    def build(
        seed: int, widths: tuple[int, int, int, int] = STUDENT, classes: int = CLASSES
    ) -> StagedNetwork:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return resnet(classes, depth=8, widths=widths)

    return build


@pytest.fixture(scope="session")
def small_batch() -> Callable[..., Batch]:
    """Draw a batch from a seed, which also seeds the draws of a step, with images set aside."""

    def draw(seed: int, size: int = 6) -> Batch:
        source = torch.Generator().manual_seed(seed)
        batch, aside = (
            Batch(
                torch.randn(size, *IMAGE, generator=source),
                torch.randint(CLASSES, (size,), generator=source),
                torch.arange(size),
                seed,
            )
            for _ in range(2)
        )
        return batch._replace(aside=aside)

    return draw


DEGENERATE: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], float]] = {
    "zeros": (torch.zeros_like, 1),
    "constant": (torch.ones_like, 1),
    "one image again and again": (lambda images: images[:1].expand_as(images).clone(), 1),
    "huge": (lambda images: images * 1e4, 1),
    "tiny": (lambda images: images * 1e-8, 1),
    "two": (lambda images: images[:2], 1),
    "huge logits": (torch.clone, 1e4),
    "tiny logits": (torch.clone, 1e-8),
}
"""Images, made of ordinary ones, and a factor of the weights of all linear layers."""


@pytest.fixture(scope="session")
def assert_finite(
    small_batch: Callable[..., Batch], small_stream: Callable[..., BatchStream]
) -> Callable[[Callable[[], Objective], Precision], None]:
    """Check losses, terms and gradients of an objective, made afresh each time."""

    def check(make: Callable[[], Objective], precision: Precision) -> None:
        stream, cpu = small_stream(0), torch.device("cpu")
        for name, (fill, scale) in DEGENERATE.items():
            objective, batch = make().train(), small_batch(1)
            with torch.no_grad():
                for module in objective.modules():
                    if isinstance(module, nn.Linear):
                        module.weight *= scale
            count = len(fill(batch.images))
            few = Batch(fill(batch.images), batch.labels[:count], batch.index[:count], seed=1)
            few = few._replace(aside=few)
            objective.begin_epoch(0, 2, stream)
            with precision.applied(cpu):
                arranged = objective.arrange(few)
            with precision.applied(cpu):
                result = objective(arranged)
            found = {"terms": list(result.terms.values()), **result.losses}
            for player, loss in result.losses.items():
                parameters = objective.players()[player].parameters
                every = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
                found[player] = [loss, *(each for each in every if each is not None)]
            for what, values in found.items():
                assert all(value.isfinite().all() for value in values), (name, what)

    return check


@pytest.fixture(scope="session")
def small_stream() -> Callable[..., BatchStream]:
    """Stream 20 random images in batches of 8, so that the last batch of an epoch is smaller.

    As many of 7 images that are set aside come with each batch.
    """

    def stream(seed: int, **augment: float) -> BatchStream:
        source = torch.Generator().manual_seed(7)
        train, aside = (
            ImageSet(
                torch.randint(256, (count, *IMAGE), generator=source).to(torch.uint8),
                torch.arange(count) % CLASSES,
            )
            for count in (TRAIN, ASIDE)
        )
        statistics, changes = ((0.5,) * 3, (0.25,) * 3), Augment(**augment)
        return BatchStream(
            train, *statistics, batch_size=8, seed=seed, augment=changes, aside=aside
        )

    return stream


@pytest.fixture(scope="session")
def brief() -> Options:
    """Have pretrainings end after an epoch, and changes over time come within two."""
    return {"ft": {"pretrain_epochs": 1}, "tofd": {"pretrain_epochs": 1}, "pad": {"warm_up": 0.5}}


@pytest.fixture(scope="session")
def small_objective(
    small_network: NetworkFactory, brief: Options
) -> Callable[..., SpotDistillation]:
    """Distil a small teacher into a student, a smaller one if possible; the router is unbiased.

    Of a method with phases it is the objective of the first.
    """

    def build(
        method: str,
        policy: str,
        *,
        seed: int = 0,
        gamma: float | None = None,
        train_teacher: bool = False,
        objective: str | None = None,
        **how: Any,
    ) -> SpotDistillation:
        equal = any(kind.equal_channels for kind in Method.of(method).distillers.values())
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            objective = distil(
                small_network(seed),
                small_network(99, STUDENT if equal else TEACHER),
                method,
                policy,
                DataFacts(IMAGE, torch.arange(TRAIN) % CLASSES),
                distillation=Distillation(
                    objective=objective or ("joint" if train_teacher else "distillation"),
                    options=brief,
                    **how,
                ),
                routing=Routing(gamma=gamma, same_family_bias=0.0),
            )
        return objective.problem if isinstance(objective, PhasedDistillation) else objective

    return build
