"""Learning from few images: the solution by hand, what it changes, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from sakd.data import Batch, BatchStream
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork, probe
from sakd.networks.pruned import cut
from sakd.networks.zoo.resnet import resnet
from sakd.study.fitting import fits
from sakd.systems import Partner, Situation
from sakd.systems.fskd import FSKD, FSKDSettings, few
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.least_squares import LeastSquares
from sakd.training import fit

IMAGE, CLASSES = (3, 8, 8), 5

Make = Callable[..., Any]
Streams = Callable[..., BatchStream]


def network(seed: int, keep: float = 1.0) -> StagedNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return resnet(CLASSES, depth=8, widths=(4, 8, 8, 8), keep=keep)


@pytest.fixture
def situation(small_situation: Callable[..., Situation]) -> Situation:
    """A student with half of the inner channels of its teacher."""
    given = small_situation(Partner.TEACHER)
    return replace(given, student=network(1, keep=0.5), partners=(network(2).eval(),))


@pytest.mark.parametrize("parts", [[3], [1, 2], [1, 1, 1]])
def test_the_solution_by_hand_however_the_rows_come(parts: list[int]) -> None:
    x = torch.tensor([[1.0, 0], [0, 2], [1, 1]])
    y = torch.tensor([[1.0, 0], [2, 2], [2, 1]])
    problem = LeastSquares(2)
    for some, others in zip(x.split(parts), y.split(parts), strict=True):
        problem.add(some, others)
    mixing, error = problem.solve()
    expected = torch.tensor([[1.0, 1], [0, 1]], dtype=torch.float64)
    torch.testing.assert_close(mixing, expected)
    assert float(error) < 1e-12
    assert problem.count == 3


def test_of_many_solutions_the_smallest_is_taken_and_of_none_the_nearest() -> None:
    problem = LeastSquares(2)
    problem.add(torch.tensor([[1.0, 1]]), torch.tensor([[2.0]]))
    mixing, error = problem.solve()
    torch.testing.assert_close(mixing, torch.tensor([[1.0, 1]], dtype=torch.float64))
    problem = LeastSquares(1)
    problem.add(torch.tensor([[1.0], [1]]), torch.tensor([[1.0], [3]]))
    mixing, error = problem.solve()
    assert float(mixing) == pytest.approx(2)
    assert float(error) == pytest.approx((2 / 10) ** 0.5)
    with pytest.raises(ValueError, match="no rows"):
        LeastSquares(2).solve()


def test_a_student_that_is_its_teacher_stays_that(
    small_situation: Callable[..., Situation], small_stream: Streams
) -> None:
    teacher = network(2).eval()
    given = replace(small_situation(Partner.TEACHER), student=network(1), partners=(teacher,))
    system = FSKD.of(given, FSKDSettings())
    (record,) = fit(system, small_stream(1), epochs=1)
    images = torch.randn(4, *IMAGE)
    torch.testing.assert_close(system.network.eval()(images), teacher(images))
    errors = [value for name, value in record.items() if name.startswith("residual/")]
    assert len(errors) == 10  # convolutions, with those of three shortcuts
    assert max(errors) < 1e-6
    assert record["kl"] < 1e-6  # of float32


def test_solving_brings_the_pruned_student_nearer_to_its_teacher(
    situation: Situation, small_stream: Streams
) -> None:
    system, stream = FSKD.of(situation, FSKDSettings()), small_stream(1)
    (teacher,) = situation.partners
    images = next(stream.epoch(0)).images
    cut(system.network, teacher, system.cuts)

    def apart() -> float:
        with torch.no_grad():
            return float(divergence(system.network.eval()(images), teacher(images)))

    before = apart()
    (record,) = fit(system, stream, epochs=1)
    assert apart() < before
    assert 0 < record["residual/stage1.0.conv2"] < 1


class Blind(BatchStream):
    """Images that all have the first label."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches."""
        for batch in super().epoch(number, start):
            yield batch._replace(labels=torch.zeros_like(batch.labels))


def test_labels_do_not_count(situation: Situation, small_stream: Streams) -> None:
    states = []
    for kind in (BatchStream, Blind):
        stream = small_stream(1)
        stream.__class__ = kind
        system = FSKD.of(situation, FSKDSettings(images=8))
        fit(system, stream, epochs=1)
        states.append({n: value.clone() for n, value in system.network.state_dict().items()})
    one, other = states
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(("count", "sizes"), [(3, [3]), (8, [8]), (12, [8, 4]), (None, [8, 8, 4])])
def test_few_images_are_the_first(
    count: int | None, sizes: list[int], small_stream: Streams
) -> None:
    found: list[Tensor] = list(few(small_stream(1), count))
    assert [len(images) for images in found] == sizes
    every = torch.cat([batch.images for batch in small_stream(1).epoch(0)])
    assert torch.equal(torch.cat(found), every[: sum(sizes)])


def test_fewer_positions_than_channels_are_worth_a_warning(
    situation: Situation, small_stream: Streams, caplog: pytest.LogCaptureFixture
) -> None:
    fit(FSKD.of(situation, FSKDSettings(images=1)), small_stream(1), epochs=1)
    assert "stage3.0.conv2: 4 positions for 8 channels" in caplog.text
    assert "stage1" not in caplog.text


def test_what_cannot_be_solved_is_refused(situation: Situation) -> None:
    with pytest.raises(UserError, match=r"21 images, of 20 .*systems\.fskd\.images to 20 or less"):
        FSKD.of(situation, FSKDSettings(images=21))
    with pytest.raises(UserError, match="images must be 1 or more, or null for all, got 0"):
        FSKDSettings(images=0)
    wider = replace(situation, student=resnet(CLASSES, depth=8, widths=(6, 8, 8, 8)))
    with pytest.raises(UserError, match=r"no pruned form .*stem\.0 gives 6 channels of 4"):
        FSKD.of(wider, FSKDSettings())


def test_pairs_fit_by_their_names() -> None:
    fine = ("vgg8/vgg8(keep=0.5)", "vgg8@brief/vgg8(keep=0.5)", "a.b:c(width=8)/a.b:c(width=4)")
    assert all(fits(FSKD, pair) for pair in fine)
    wrong = ("vgg8/vgg8", "vgg11/vgg8(keep=0.5)", "vgg8&vgg11/vgg8(keep=0.5)", "resnet20/resnet8")
    assert not any(fits(FSKD, pair) for pair in wrong)


def test_the_student_keeps_the_form_of_a_narrow_network(
    situation: Situation, small_stream: Streams
) -> None:
    system = FSKD.of(situation, FSKDSettings())
    fit(system, small_stream(1), epochs=1)
    plain = network(3, keep=0.5)
    plain.load_state_dict(system.network.state_dict())
    images = torch.randn(2, *IMAGE)
    assert torch.equal(plain.eval()(images), system.network.eval()(images))
    assert probe(plain, IMAGE).logits.shape == (1, CLASSES)
