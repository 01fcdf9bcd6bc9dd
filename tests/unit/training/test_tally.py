"""The decisions that are counted are those that the student learns by, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.objectives import SpotDistillation, distil
from sakd.objectives.parameters import Distillation
from sakd.objectives.problem import DataFacts
from sakd.routing import POLICIES, Route, RoutingPolicy, Scene
from sakd.routing.choice import tells_apart
from sakd.training import Run, fit, train
from sakd.training.capture.waits import Waits
from sakd.training.tally import Tally

Objectives = Callable[..., SpotDistillation]
Streams = Callable[..., BatchStream]

EPOCHS, IMAGES, CLASSES = 3, 20, 5
LABELS = torch.arange(IMAGES) % CLASSES
TELLING = [name for name, kind in POLICIES.items() if tells_apart(kind)]


class Open(RoutingPolicy):
    """Distil everything, as a policy that has stopped choosing."""

    def forward(self, scene: Scene) -> Route:
        """Choose everything."""
        return Route(self.everywhere(scene.batch.labels >= 0))


class OfTwo(RoutingPolicy):
    """Distil the images of two classes."""

    def forward(self, scene: Scene) -> Route:
        """Look at the labels."""
        return Route(self.everywhere(scene.batch.labels < 2))


def witnessed(objective: SpotDistillation, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note the images and shares of every loss of the student's."""
    seen: list[tuple[Tensor, Tensor]] = []
    knowledge = objective.knowledge

    def noted(student: Any, teacher: Any, batch: Batch, share: Tensor) -> Any:
        seen.append((batch.index.clone(), share.clone()))
        return knowledge(student, teacher, batch, share)

    monkeypatch.setattr(objective, "knowledge", noted)
    return seen


@pytest.mark.parametrize("policy", TELLING)
@pytest.mark.parametrize("objective", ["distillation", "unix"])
def test_the_counts_are_those_of_the_shares_that_the_student_learns_by(
    policy: str,
    objective: str,
    small_objective: Objectives,
    small_stream: Streams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    method = "at" if POLICIES[policy].weighs else "sp"
    plain, counted = (small_objective(method, policy, objective=objective) for _ in "ab")
    tally, seen = Tally(counted, IMAGES), witnessed(counted, monkeypatch)
    history = fit(counted, small_stream(1), epochs=EPOCHS)
    assert history == fit(plain, small_stream(1), epochs=EPOCHS)

    shares: dict[int, list[np.ndarray]] = {image: [] for image in range(IMAGES)}
    for index, share in seen:
        for image, line in zip(index.tolist(), share.float().numpy(), strict=True):
            shares[image].append(line)
    frame = tally.frame(LABELS)
    assert frame["image"].tolist() == list(range(IMAGES))
    assert frame["label"].tolist() == LABELS.tolist()
    for number, spot in enumerate(counted.spot_names):
        for image, lines in shares.items():
            assert frame[f"seen/{spot}"][image] == len(lines)
            mean = np.mean([line[number] for line in lines]) if lines else np.nan
            np.testing.assert_allclose(frame[f"rate/{spot}"][image], mean, rtol=1e-6)
        if objective == "distillation":  # every image once an epoch
            means = [epoch[f"gate_rate/{spot}"] for epoch in history]
            np.testing.assert_allclose(frame[f"rate/{spot}"].mean(), np.mean(means), rtol=1e-5)


def test_it_goes_on_from_its_state(small_objective: Objectives, small_stream: Streams) -> None:
    first, second = (Tally(small_objective("at", "adaptive"), IMAGES) for _ in "ab")
    objective = small_objective("at", "adaptive")
    tally = Tally(objective, IMAGES)
    fit(objective, small_stream(1), epochs=1)
    first.restore(tally.state())
    second.restore(first.state())
    assert second.frame(LABELS).equals(tally.frame(LABELS))
    assert second.frame(LABELS)["seen/logits"].tolist() == [1] * IMAGES


def test_steps_that_are_repeated_count_too(
    small_objective: Objectives, small_stream: Streams, tape: Any
) -> None:
    frames = []
    for graph in (False, True):
        objective = small_objective("at", "adaptive")
        tally = Tally(objective, IMAGES)
        train([Run(objective, epochs=EPOCHS)], small_stream(1), graph=graph)
        frames.append(tally.frame(LABELS))
    assert sum(tape.plays) > 0
    assert frames[0].equals(frames[1])


def test_to_count_does_not_make_the_host_wait(
    small_objective: Objectives, small_batch: Callable[..., Batch]
) -> None:
    objective = small_objective("at", "heldout")
    tally = Tally(objective, 6)
    with Waits() as waits:
        Run(objective, epochs=1).learn(small_batch(0))
    assert waits.found == []
    assert tally.frame(torch.zeros(6, dtype=torch.long))["seen/logits"].tolist() == [1] * 6


@pytest.mark.parametrize(("policy", "rates"), [(Open, [1.0] * 5), (OfTwo, [1.0, 1.0, 0, 0, 0])])
def test_a_policy_of_ones_own_is_counted(
    policy: type[RoutingPolicy], rates: list[float], small_network: Any, small_stream: Streams
) -> None:
    data = DataFacts((3, 8, 8), LABELS)
    networks = small_network(0), small_network(1)
    objective = distil(*networks, "kd", policy, data, distillation=Distillation())
    tally = Tally(objective, IMAGES)
    fit(objective, small_stream(1), epochs=2)
    found = tally.frame(LABELS).groupby("label")["rate/logits"].mean()
    assert found.tolist() == rates


@pytest.mark.parametrize("policy", sorted(set(POLICIES).difference(TELLING)))
def test_where_all_distil_alike_or_by_chance_nothing_is_counted(
    policy: str, small_objective: Objectives
) -> None:
    assert policy in {"always", "random"}
    assert Tally(small_objective("kd", policy), IMAGES).counts == []


def test_a_method_of_phases_is_counted_in_each(small_network: Any, small_stream: Streams) -> None:
    objective = distil(
        *(small_network(0), small_network(1)),
        "sskd",
        "adaptive",
        DataFacts((3, 8, 8), LABELS),
        distillation=Distillation(objective="phased"),
    )
    tally, run = Tally(objective, IMAGES), Run(objective, epochs=13)
    train([run], small_stream(1))
    assert run.failure is None
    frame = tally.frame(LABELS)
    *stages, last = (len(span) for span in run.spans)
    for number, epochs in enumerate(stages, start=1):
        assert set(frame[f"seen/stage{number}"]) == {epochs}
    assert set(frame["seen/logits"]) == {13 - last}
