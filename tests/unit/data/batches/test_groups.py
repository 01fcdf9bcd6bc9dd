"""Batches in groups of a class: a pure function of seed and epoch, fair to all images."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sakd.data import BatchStream, Groups, ImageSet
from sakd.data.batches.stream import batch_sizes
from sakd.foundation.errors import UserError

LABELS = torch.arange(20) % 5


@given(
    count=st.integers(2, 40),
    classes=st.integers(1, 6),
    companions=st.integers(1, 4),
    size=st.integers(1, 9),
    epoch=st.integers(0, 5),
)
def test_every_anchor_brings_images_of_its_class(
    count: int, classes: int, companions: int, size: int, epoch: int
) -> None:
    labels, sizes = torch.arange(count) % classes, batch_sizes(count, size)
    order = Groups(companions).order(labels, 3, epoch, sizes)
    assert len(order) == count
    for rows in torch.split(order, sizes):
        anchors = -(-len(rows) // (companions + 1))
        for place, row in enumerate(rows[anchors:].tolist()):
            anchor = int(rows[place % anchors])
            assert labels[row] == labels[anchor]
            assert row != anchor or (labels == labels[anchor]).sum() == 1
        for anchor in range(anchors):
            own = rows[anchors:][anchor::anchors].tolist()
            others = int((labels == labels[rows[anchor]]).sum()) - 1
            assert len(set(own)) == min(len(own), max(others, 1))


def test_each_image_is_an_anchor_once_in_as_many_epochs_as_a_group_has_images() -> None:
    groups, sizes = Groups(3), [8, 8, 4]
    anchors: list[int] = []
    for epoch in range(8):
        batches = torch.split(groups.order(LABELS, 1, epoch, sizes), sizes)
        anchors += [row for rows in batches for row in rows[: len(rows) // 4].tolist()]
    for turn in range(2):
        assert sorted(anchors[20 * turn : 20 * turn + 20]) == list(range(20))
    assert anchors[:20] != anchors[20:]


def test_an_epoch_depends_on_its_number_and_the_seed_alone() -> None:
    groups, sizes = Groups(1), [8, 8, 4]
    first = groups.order(LABELS, 1, 4, sizes)
    assert torch.equal(first, groups.order(LABELS, 1, 4, sizes))
    for seed, epoch in ((1, 5), (2, 4)):
        assert not torch.equal(first, groups.order(LABELS, seed, epoch, sizes))


def test_a_stream_has_as_many_steps_with_groups_as_without() -> None:
    images = ImageSet(torch.zeros(20, 3, 8, 8, dtype=torch.uint8), LABELS)
    plain = BatchStream(images, [0.5] * 3, [0.25] * 3, batch_size=8, seed=0)
    stream = BatchStream(images, [0.5] * 3, [0.25] * 3, batch_size=8, seed=0, groups=Groups(3))
    assert len(stream) == len(plain)
    batches = list(stream.epoch(0))
    assert [len(b.labels) for b in batches] == [len(b.labels) for b in plain.epoch(0)]
    for batch in batches:
        assert torch.equal(batch.labels, LABELS[batch.index])
        assert len(batch.labels.unique()) <= 2
    expected = Groups(3).order(LABELS, 0, 0, [8, 8, 4])
    assert torch.equal(torch.cat([batch.index for batch in batches]), expected)


def test_a_group_has_a_companion() -> None:
    with pytest.raises(UserError, match="companions must be 1 or more, got 0"):
        Groups(0)
