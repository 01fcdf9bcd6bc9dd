"""Learning in steps by hand: TAKD, DGKD, ESKD, ProKT, RCO, and what they refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.objectives import Optimisation, Outputs
from sakd.systems import SYSTEMS, Partner
from sakd.systems.parts import teachers
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.route import distances, farthest
from sakd.systems.prokt import FollowedSettings, ProKT
from sakd.systems.rco import RCO
from sakd.training import Callback, Run, fit, train

Make = Callable[..., Any]
Streams = Callable[..., BatchStream]

STUDENT = torch.tensor([[1.0, 0, -1], [0, 2, 0]], dtype=torch.float64)
TEACHER = torch.tensor([[2.0, 0, -2], [1, 1, 0]], dtype=torch.float64)
ASSISTANT = torch.tensor([[0.0, 1, 0], [0, 3, 1]], dtype=torch.float64)
ENTROPY = 0.323575
"""Of the student, on the labels of ``batch``."""


@pytest.fixture
def batch() -> Batch:
    """Two images, of the first and of the second class."""
    return Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]), torch.arange(2), 0)


def test_a_step_of_takd_and_of_dgkd_by_hand(batch: Batch) -> None:
    labels = torch.nn.functional.cross_entropy(STUDENT, batch.labels)
    one, other = (divergence(STUDENT, logits, 2.0) for logits in (TEACHER, ASSISTANT))
    assert float(labels) == pytest.approx(ENTROPY, abs=1e-6)
    assert float(0.5 * labels + 0.5 * one) == pytest.approx(0.315481, abs=1e-6)
    assert float(0.5 * labels + 0.5 * one / 3) == pytest.approx(0.213019, abs=1e-6)
    assert float(2 * 0.5 * labels + 0.5 * (one + other)) == pytest.approx(0.606047, abs=1e-6)
    assert float(0.5 * labels + 0.5 * (one + other) / 3) == pytest.approx(0.255945, abs=1e-6)


class TestDGKD:
    @pytest.mark.parametrize("drop", [0, 1])
    def test_so_many_are_left_out_and_the_others_count_whole(
        self, drop: int, small_system: Make, batch: Batch
    ) -> None:
        system = small_system("dgkd", drop=drop)
        given = torch.stack([TEACHER, ASSISTANT], dim=1)
        found = torch.stack(
            [system.shares(STUDENT, given, batch._replace(seed=seed))[0] for seed in range(40)]
        )
        assert set(found.sum(dim=1).tolist()) == {2.0 - drop}
        assert set(found.flatten().tolist()) == {float(drop == 0), 1.0}
        if drop:
            assert 0 < found[:, 0].mean() < 1

    def test_a_whole_batch_leaves_out_the_same(self, small_system: Make, batch: Batch) -> None:
        system, given = small_system("dgkd"), torch.stack([TEACHER, ASSISTANT], dim=1)
        one, other = system.shares(STUDENT, given, batch)
        assert torch.equal(one, other)

    @pytest.mark.parametrize(
        ("drop", "complaint"),
        [(2, "drop 2 leaves none of 2.*1 or less"), (-1, "0 or more, got -1")],
    )
    def test_someone_must_be_left(self, drop: int, complaint: str, small_system: Make) -> None:
        with pytest.raises(UserError, match=complaint):
            small_system("dgkd", drop=drop)


class TestESKD:
    def test_any_network_may_teach(self) -> None:
        assert not SYSTEMS["eskd"].same_network

    def test_before_and_after_the_teacher_is_left_by_hand(
        self, small_system: Make, batch: Batch, small_stream: Streams
    ) -> None:
        system, losses = small_system("eskd", alpha=0.9, temperature=2.0, until=0.5).double(), []
        for epoch in range(4):
            system.begin_epoch(epoch, 4, small_stream(1))
            terms = system.terms(batch, [STUDENT, TEACHER])
            losses.append(float(sum(weight * loss for loss, weight in terms.values())))
        assert losses == pytest.approx([0.309006] * 2 + [ENTROPY] * 2, abs=1e-6)

    @pytest.mark.parametrize(
        ("until", "epochs", "taught"), [(0.67, 3, 2), (0.67, 240, 161), (1.0, 3, 3), (0.1, 10, 1)]
    )
    def test_the_teacher_counts_for_its_part_of_the_epochs(
        self, until: float, epochs: int, taught: int, small_system: Make, small_stream: Streams
    ) -> None:
        system, shares = small_system("eskd", until=until), []
        for epoch in range(epochs):
            system.begin_epoch(epoch, epochs, small_stream(1))
            shares.append(float(system.share) > 0)
        assert shares == [True] * taught + [False] * (epochs - taught)

    def test_after_it_the_student_learns_as_alone_and_the_divergence_is_logged(
        self, small_system: Make, batch: Batch, small_stream: Streams
    ) -> None:
        system = small_system("eskd")
        system.begin_epoch(2, 3, small_stream(1))
        logits = STUDENT.clone().requires_grad_()
        terms = system.terms(batch, [logits, TEACHER])
        loss = sum(weight * loss for loss, weight in terms.values())
        (found,) = torch.autograd.grad(loss, logits)
        (alone,) = torch.autograd.grad(system.task.loss(logits, batch), logits)
        assert torch.equal(found, alone)
        assert float(terms["kd"].loss.detach()) > 0

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"until": 0}, "above 0 and up to 1, got 0"),
            ({"until": 1.5}, r"got 1\.5"),
            ({"alpha": 2}, "0 to 1, got 2"),
        ],
    )
    def test_shares_are_checked(
        self, wrong: dict[str, float], complaint: str, small_system: Make
    ) -> None:
        with pytest.raises(UserError, match=complaint):
            small_system("eskd", **wrong)


class TestProKT:
    def test_both_losses_by_hand(self, small_system: Make, batch: Batch) -> None:
        system = small_system("prokt", follow=0.3, ce_weight=0.5)
        found = system.losses([STUDENT, TEACHER], batch).losses
        assert float(found["teacher"]) == pytest.approx(0.645876, abs=1e-6)
        assert float(found["student"]) == pytest.approx(0.649682, abs=1e-6)

    def test_a_gradient_stays_on_its_own_side(self, small_system: Make, batch: Batch) -> None:
        system = small_system("prokt", temperature=2.0)
        logits = [z.clone().requires_grad_() for z in (STUDENT, TEACHER)]
        student, teacher = logits
        for name, own, other in (("student", student, teacher), ("teacher", teacher, student)):
            loss: Tensor = system.losses(logits, batch).losses[name]
            given = torch.autograd.grad(loss, [own, other], allow_unused=True)
            assert given[0] is not None
            assert given[1] is None

    def test_a_teacher_that_follows_nobody_learns_as_it_would_alone(
        self, small_system: Make, batch: Batch
    ) -> None:
        system: ProKT = small_system("prokt", follow=0.0)
        loss = system.losses([STUDENT, TEACHER], batch).losses["teacher"]
        assert torch.equal(loss, system.task.loss(TEACHER, batch))

    @pytest.mark.parametrize("name", ["follow", "ce_weight"])
    def test_shares_are_from_0_to_1(self, name: str) -> None:
        with pytest.raises(UserError, match=rf"{name} must be from 0 to 1, got 1\.5"):
            FollowedSettings(**{name: 1.5})


class TestRCO:
    @pytest.mark.parametrize(
        ("epochs", "turns"),
        [(2, [0, 1]), (3, [0, 0, 1]), (6, [0, 0, 0, 1, 1, 1]), (7, [0] * 4 + [1] * 3)],
    )
    def test_turns_follow_from_the_epoch_alone(
        self, epochs: int, turns: list[int], small_system: Make, small_stream: Streams
    ) -> None:
        system, stream, found = small_system("rco"), small_stream(1), []
        for epoch in range(epochs):
            system.begin_epoch(epoch, epochs, stream)
            found.append(system.turn)
        assert found == turns
        system.begin_epoch(0, epochs, stream)
        assert system.turn == 0

    def test_only_the_teacher_whose_turn_it_is_is_asked(
        self, small_system: Make, small_stream: Streams, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system: RCO = small_system("rco")
        networks, ask, asked = list(system.teachers), teachers.asked, list[int]()

        def counted(network: StagedNetwork, batch: Batch) -> Outputs:
            asked.append(networks.index(network))
            return ask(network, batch)

        monkeypatch.setattr(teachers, "asked", counted)
        history = fit(system, small_stream(1), epochs=2)
        assert [record["turn_of_teacher"] for record in history] == [1, 2]
        assert asked == sorted(asked)
        assert 2 * sum(asked) == len(asked)

    def test_every_teacher_has_a_turn(
        self, small_system: Make, small_situation: Make, small_stream: Streams
    ) -> None:
        few = r"1 epochs for 2 teachers.*student\.epochs to 2"
        situation = replace(small_situation(Partner.TEACHERS), epochs=1)
        with pytest.raises(UserError, match=few):
            RCO.of(situation, RCO.settings())
        system = small_system("rco")
        with pytest.raises(UserError, match=few):
            system.begin_epoch(0, 1, small_stream(1))


class TestStages:
    """RCO with stages that each start again."""

    @pytest.fixture
    def make(self, small_situation: Make, small_network: Make) -> Make:
        """Build it for so many teachers."""

        def make(count: int = 4, seed: int = 0, **settings: Any) -> RCO:
            situation = small_situation(Partner.TEACHERS, seed)
            states = tuple(small_network(90 + number) for number in range(count))
            return RCO.of(replace(situation, partners=states), RCO.settings(**settings)).train()

        return make

    @pytest.mark.parametrize(
        ("found", "present", "most", "chosen"),
        [
            ([0.10, 0.11, 0.14, 0.30], 0, 1.5, 2),
            ([0.10, 0.11, 0.14, 0.30], 0, 3.0, 3),
            ([0.10, 0.11, 0.14, 0.30], 0, 1.05, 1),
            ([0.05, 0.10, 0.30, 0.15], 1, 1.5, 3),
            ([0.01, 0.10, 0.20, 0.30], 1, 1.0, 2),
        ],
    )
    def test_the_next_state_by_hand(
        self, found: list[float], present: int, most: float, chosen: int
    ) -> None:
        assert farthest(found, present, most) == chosen

    def test_distances_are_means_over_all_images_and_leave_the_student_as_it_is(
        self, make: Make, small_stream: Streams
    ) -> None:
        system, stream = make(), small_stream(1)
        before = copy.deepcopy(system.student.state_dict())
        found = distances(system.student, list(system.teachers), stream, 0)
        assert system.student.training
        assert all(torch.equal(before[n], v) for n, v in system.student.state_dict().items())
        images = torch.cat([batch.images for batch in stream.epoch(0)])
        with torch.no_grad():
            ours = system.student.eval()(images).log_softmax(1)
            theirs = [state(images).log_softmax(1) for state in system.teachers]
        each = [float((t.exp() * (t - ours)).sum(1).mean()) for t in theirs]
        assert found == pytest.approx(each, rel=1e-3)

    @pytest.mark.parametrize(
        ("settings", "turns"),
        [
            ({"stages": 4}, [1, 2, 3, 4]),
            ({"stages": 2}, [2, 2, 4, 4]),
            ({"stages": 4, "greedy": 1e6}, [1, 4, 4, 4]),
            ({"stages": 2, "greedy": 1.0}, [1, 1, 4, 4]),
        ],
    )
    def test_each_stage_has_its_state_and_its_own_fall_of_the_rate(
        self, settings: dict[str, Any], turns: list[int], make: Make, small_stream: Streams
    ) -> None:
        rates: list[float] = []

        class Watch(Callback):
            def on_step(self, run: Run) -> None:
                rates.extend(run.players["student"].rates)

        recipe = {"student": Optimisation(lr=0.02, milestones=(0.5,))}
        given = {"optimisation": recipe, "callbacks": [Watch()]}
        history = fit(make(**settings), small_stream(1), epochs=4, **given)
        assert [record["turn_of_teacher"] for record in history] == turns
        per_epoch = rates[:: len(rates) // 4]
        if settings["stages"] == 2:
            assert per_epoch == pytest.approx([0.02, 0.002] * 2)

    def test_a_choice_is_made_once_and_resumed_at_any_step_to_the_bit(
        self, make: Make, small_stream: Streams, kept_states: Any
    ) -> None:
        def run(seed: int = 0, **options: Any) -> Run:
            recipe = {"student": Optimisation(lr=0.5)}
            settings = {"stages": 3, "greedy": 1.02}
            return Run(make(seed=seed, **settings), epochs=4, optimisation=recipe, **options)

        whole = run(callbacks=[kept_states])
        train([whole], small_stream(1))
        places = [place for place in kept_states.files if place != (4, 0)]
        others = [run(seed=5, resume=kept_states.at(place)) for place in places]
        train([run(seed=3), *others], small_stream(1))
        for other in others:
            assert other.failure is None
            assert other.history == whole.history
            for name, value in whole.objective.progress().items():
                assert torch.equal(other.objective.progress()[name], value), name

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"stages": 1}, "stages must be 0, or 2 or more, got 1"),
            ({"stages": 5}, "5 stages for 4 teachers: set stages to 4 or less"),
            ({"stages": 2, "greedy": 0.5}, r"greedy must be 0, or 1 or more, got 0\.5"),
            ({"greedy": 1.5}, r"greedy 1\.5 chooses .* set stages"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, wrong: dict[str, Any], complaint: str, make: Make
    ) -> None:
        with pytest.raises(UserError, match=complaint):
            make(**wrong)
