"""UNIX: what the student doubts is kept, in order, and mixed with other images of the batch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sakd.data import Batch
from sakd.data.batches.mixing import Mixture
from sakd.foundation.errors import UserError
from sakd.objectives import Mixing, SpotDistillation, Unix
from sakd.study.parsing import parse_parameters

Objectives = Callable[..., SpotDistillation]
Batches = Callable[..., Batch]


@pytest.fixture
def unix(small_objective: Objectives) -> Callable[..., Unix]:
    """Start the objective with settings of its own, in training mode."""

    def start(method: str = "kd", policy: str = "always", **settings: object) -> Unix:
        made = small_objective(
            method, policy, objective="unix", objective_options={"unix": settings}
        )
        assert isinstance(made, Unix)
        return made.train()

    return start


@given(
    scores=st.permutations(range(11)),
    share=st.sampled_from([0.05, 0.3, 0.75, 1.0]),
    turn=st.sampled_from([0.0, 0.5, 1.0]),
    most=st.floats(0, 1),
    seed=st.integers(0, 100),
)
def test_the_images_are_those_of_the_formula(
    scores: list[int], share: float, turn: float, most: float, seed: int, small_batch: Batches
) -> None:
    batch, size = small_batch(seed, size=11), 11
    batch = batch._replace(images=batch.images.double(), view=torch.arange(size))
    partners = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    mixing = Mixing(share=share, turn=turn, slope=10.0)
    mixed = mixing.mix(
        batch, torch.tensor(scores).double(), torch.tensor(most, dtype=torch.float64), partners
    )
    kept = {0.05: 2, 0.3: 3, 0.75: 8, 1.0: 11}[share]
    order = sorted(range(size), key=lambda k: -scores[k])[:kept]
    assert mixed.index.tolist() == order
    assert mixed.labels.tolist() == batch.labels[order].tolist()
    assert mixed.mixture is not None
    assert mixed.mixture.partner.tolist() == batch.labels[partners[:kept]].tolist()
    assert mixed.view is None
    assert (mixed.seed, len(mixed.images)) == (batch.seed, kept)
    for i in range(kept):
        rank = 10 * (i / size - (2 * turn * size - 1) / (2 * size))
        part = most / (1 + math.exp(-rank))
        assert float(mixed.mixture.share[i]) == pytest.approx(1 - part)
        image = (1 - part) * batch.images[order[i]] + part * batch.images[partners[i]]
        torch.testing.assert_close(mixed.images[i], image)


def test_equal_doubts_keep_their_order(small_batch: Batches) -> None:
    batch = small_batch(0, size=40)
    mixed = Mixing().mix(batch, torch.zeros(40), torch.tensor(0.5), torch.arange(40))
    assert mixed.index.tolist() == list(range(30))


@pytest.mark.parametrize("score", ["entropy", "confidence", "margin"])
def test_the_student_scores_and_stays_as_it_is(
    score: str, unix: Callable[..., Unix], small_batch: Batches
) -> None:
    objective, batch = unix(score=score), small_batch(3)
    before = copy.deepcopy(objective.state_dict())
    chances = copy.deepcopy(objective.student).eval()(batch.images).softmax(dim=1)
    ordered = chances.sort(dim=1, descending=True).values
    expected: dict[str, Tensor] = {
        "entropy": -(chances * chances.log()).sum(dim=1),
        "confidence": 1 - ordered[:, 0],
        "margin": ordered[:, 1] - ordered[:, 0],
    }
    torch.testing.assert_close(objective.doubts(batch.images), expected[score].detach())
    mixed = objective.arrange(batch)
    assert mixed.index.tolist() == expected[score].argsort(descending=True).tolist()[:4]
    assert not mixed.images.requires_grad
    assert all(torch.equal(before[n], value) for n, value in objective.state_dict().items())
    assert objective.student.training


def test_a_step_counts_the_statistics_of_batch_norms_once(
    unix: Callable[..., Unix], small_batch: Batches
) -> None:
    objective = unix("at", "adaptive")
    objective(objective.arrange(small_batch(0)))
    counted = [
        int(value)
        for name, value in objective.student.state_dict().items()
        if name.endswith("num_batches_tracked")
    ]
    assert set(counted) == {1}


def test_a_batch_is_arranged_by_its_own_draws(
    unix: Callable[..., Unix], small_batch: Batches
) -> None:
    objective, batch = unix(), small_batch(3)
    first, again = objective.arrange(batch), objective.arrange(batch)
    other = objective.arrange(batch._replace(seed=4))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, other.labels)
    assert not torch.equal(first.images, other.images)
    policy = [made.draws("policy").initial_seed() for made in (batch, first)]
    assert policy[0] == policy[1]


def test_the_largest_part_is_uniform_and_partners_are_of_the_whole_batch(
    unix: Callable[..., Unix], small_batch: Batches
) -> None:
    objective, batch = unix(slope=1e6, turn=0.0, share=0.5), small_batch(0)
    batch = batch._replace(labels=torch.arange(6))
    parts, partners = [], torch.zeros(6)
    for seed in range(600):
        mixture = objective.arrange(batch._replace(seed=seed)).mixture
        assert mixture is not None
        assert mixture.share.unique().numel() == 1
        assert mixture.partner.unique().numel() == 3
        parts.append(1 - float(mixture.share[0]))
        partners += mixture.partner.bincount(minlength=6)
    parts.sort()
    assert max(abs(part - k / 600) for k, part in enumerate(parts)) < 0.07
    assert (partners / 600 - 0.5).abs().max() < 0.1


@pytest.mark.parametrize(
    ("method", "policy"), [("kd", "always"), ("at", "better"), ("sp", "always")]
)
def test_with_all_images_and_none_mixed_in_it_is_plain_distillation(
    method: str,
    policy: str,
    unix: Callable[..., Unix],
    small_objective: Objectives,
    small_batch: Batches,
) -> None:
    batch = small_batch(2)
    batch = batch._replace(images=batch.images.double())
    objective = unix(method, policy, share=1.0, turn=1.0, slope=1e9).double()
    plain = small_objective(method, policy).double().train()
    ours, theirs = objective(objective.arrange(batch)).terms, plain(batch).terms
    assert ours.keys() == theirs.keys()
    for name, term in ours.items():
        torch.testing.assert_close(term, theirs[name])


def test_its_teacher_is_asked_by_itself(unix: Callable[..., Unix]) -> None:
    assert unix("at", "adaptive").request() is None


def test_images_that_are_mixed_already_are_refused(
    unix: Callable[..., Unix], small_batch: Batches
) -> None:
    batch = small_batch(0)
    mixed = batch._replace(mixture=Mixture(batch.labels, torch.tensor(0.5)))
    with pytest.raises(UserError, match=r"mixes images itself.*without mixup and cutmix"):
        unix().arrange(mixed)


@pytest.mark.parametrize("parameter", ["mixup", "cutmix"])
def test_mixing_twice_is_refused_at_the_door(parameter: str) -> None:
    given = {
        "distillation": {"objective": "unix"},
        "student": {"augment": {parameter: 0.25}},
    }
    with pytest.raises(UserError, match=rf"{parameter} is 0\.25.*'unix'.*set it to 0"):
        parse_parameters(given)
    parse_parameters({**given, "student": {}, "teacher": given["student"]})


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"share": 0.0}, r"share must be above 0 and at most 1, got 0\.0"),
        ({"turn": 1.5}, r"turn must be in \[0, 1\], got 1\.5"),
        ({"slope": 0}, r"slope must be above 0, got 0"),
        ({"score": "doubt"}, r"takes 'entropy' or 'confidence' or 'margin', got 'doubt'"),
        ({"k": 48}, r"no option 'k'; known: share, turn, slope, score"),
    ],
)
def test_settings_are_checked_at_the_door(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(UserError, match=f"objective 'unix'.*{complaint}"):
        parse_parameters({"distillation": {"objective_options": {"unix": settings}}})
