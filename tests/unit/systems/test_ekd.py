"""Branches with teachers of their own: terms by hand, and what teaches which branch."""

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
from sakd.networks.branches import WithBranches
from sakd.objectives import Optimisation
from sakd.systems import SYSTEMS, Partner, Situation
from sakd.training import Run, train

Make = Callable[..., Any]


def logits(*rows: list[float]) -> Tensor:
    """Logits in double precision."""
    return torch.tensor(rows, dtype=torch.float64)


def test_the_terms_by_hand(small_system: Make) -> None:
    batch = Batch(torch.zeros(2, 3, 8, 8), torch.tensor([0, 1]), torch.arange(2), 0)
    branches = [logits([1, 0, -1], [0, 2, 0]), logits([0, 1, 0], [0, 3, 1])]
    teacher = logits([2, 0, -2], [1, 1, 0])
    terms = small_system("ekd", temperature=2.0).terms(batch, branches, [teacher, teacher])
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(
        {
            "cross_entropy": 0.323575,
            "branches": 0.860645,
            "ensemble": 0.529364,
            "kd": 0.307387 + 1.075583,
        },
        abs=1e-5,
    )


def test_each_teacher_teaches_its_own_branch(
    small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    system, batch = small_system("ekd"), small_batch(3)
    first, second = (system.further_networks()[name] for name in ("branch2", "ensemble"))
    plain = system.student(batch.images) + first(batch.images)
    torch.testing.assert_close(second(batch.images), plain / 2)
    _, (own, other) = system.branches(batch.images)
    taught = [teacher(batch.images).detach() for teacher in system.teachers]
    kd = system.terms(batch, [own.logits, other.logits.detach()], taught)["kd"]
    heads = [net.stage_modules()["head"].weight for net in (system.student, *system.tails)]
    mine, theirs = torch.autograd.grad(kd, heads, allow_unused=True)
    assert mine is not None
    assert theirs is None


def test_there_is_a_branch_for_every_teacher_and_the_student_is_the_first(
    small_system: Make,
) -> None:
    system = small_system("ekd")
    assert list(system.further_networks()) == ["branch2", "ensemble"]
    assert len(system.regressors) == len(system.teachers) == 2


@pytest.fixture
def branched(
    small_situation: Callable[..., Situation], small_network: Callable[..., StagedNetwork]
) -> Situation:
    """A student of two branches, whose first one with the trunk is the plain student."""
    student = WithBranches([small_network(0), small_network(1001)])
    return replace(small_situation(Partner.TEACHERS), student=student)


def test_a_student_with_branches_is_trained_as_a_plain_one_with_tails_and_kept_whole(
    branched: Situation, small_system: Make, small_batch: Callable[..., Batch]
) -> None:
    kind, batch = SYSTEMS["ekd"], small_batch(3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        whole = kind.of(branched, kind.settings()).train()
    plain = small_system("ekd")
    expected, found = plain(batch), whole(batch)
    for name, term in expected.terms.items():
        torch.testing.assert_close(found.terms[name], term, msg=name)
    torch.testing.assert_close(found.losses["student"], expected.losses["student"])
    assert whole.network is branched.student
    together, ensemble = whole.eval().network, plain.eval().further_networks()["ensemble"]
    torch.testing.assert_close(together(batch.images), ensemble(batch.images))
    each = whole.further_networks()
    assert list(each) == ["branch1", "branch2"]
    second = plain.further_networks()["branch2"]
    torch.testing.assert_close(each["branch2"](batch.images), second(batch.images))


def test_a_student_with_branches_learns_to_the_bit_from_any_step_on(
    branched: Situation, small_stream: Callable[..., BatchStream], kept_states: Any
) -> None:
    kind, recipe = SYSTEMS["ekd"], {"student": Optimisation(lr=0.02)}

    def run(**options: Any) -> Run:
        system = kind.of(copy.deepcopy(branched), kind.settings())
        return Run(system, epochs=2, optimisation=recipe, **options)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        whole = run(callbacks=[kept_states])
    train([whole], small_stream(1))
    again = run(resume=kept_states.at((1, 1)))
    train([again], small_stream(1))
    assert whole.failure is again.failure is None
    held = {id(p) for p in whole.objective.network.parameters()}
    assert held <= {id(p) for p in whole.objective.players()["student"].parameters}
    for name, value in whole.objective.progress().items():
        assert torch.equal(value, again.objective.progress()[name]), name


def test_there_are_as_many_branches_as_teachers(
    branched: Situation, small_network: Callable[..., StagedNetwork]
) -> None:
    three = replace(branched, student=WithBranches([small_network(0)] * 3))
    kind = SYSTEMS["ekd"]
    with pytest.raises(UserError, match=r"3 branches of the student for 2 teachers: .*branches=2"):
        kind.of(three, kind.settings())


def test_a_negative_weight_is_refused(small_system: Make) -> None:
    with pytest.raises(UserError, match="feature_weight must not be negative: -1"):
        small_system("ekd", feature_weight=-1.0)
