"""Data of some of the classes alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

import torch

from sakd.data.splits.data_card import DataCard, Prepared
from sakd.foundation.errors import UserError, require
from sakd.foundation.names import listed, unknown

SPAN = ".."
"""Stands between the first and the last of several classes, in the order of the data."""

FEWEST = 2
"""Classes that a classifier tells apart at least."""


def named_classes(given: Sequence[str | int], classes: Sequence[str]) -> tuple[str, ...]:
    """Name classes, in the order of the data, by their names and by spans of them.

    >>> named_classes(["dog", "ant..cat"], ["ant", "bee", "cat", "dog"])
    ('ant', 'bee', 'cat', 'dog')

    Args:
        given: Names, or ``first..last`` for all from one name to another.
        classes: All classes of the data.

    Raises:
        UserError: One is unknown, is named twice, or a span is empty; or they are fewer than two.
    """
    found = [name for each in given for name in _spanned(str(each), classes)]
    twice = next((name for name in found if found.count(name) > 1), None)
    require(twice is None, f"class {twice!r} is named twice: name each once")
    few = f"{', '.join(found)}: fewer than {FEWEST} classes"
    require(len(found) >= FEWEST, f"{few} leave nothing to tell apart: name more")
    return tuple(name for name in classes if name in found)


def _spanned(given: str, classes: Sequence[str]) -> Iterator[str]:
    if given in classes or SPAN not in given:
        yield from [classes[_place(given, classes)]]
        return
    first, _, last = given.partition(SPAN)
    start, stop = _place(first, classes), _place(last, classes)
    require(start < stop, f"{given!r}: {first} does not come before {last}; exchange them")
    yield from classes[start : stop + 1]


def _place(name: str, classes: Sequence[str]) -> int:
    if name not in classes:
        raise UserError(unknown("class", name, classes))
    return list(classes).index(name)


def card_of_classes(card: DataCard, classes: Collection[str]) -> DataCard:
    """Describe the data of ``classes`` alone, which are numbered from 0 in their order.

    Raises:
        UserError: One is not among those of ``card``.
    """
    places = [_place(name, card.classes) for name in classes]
    counts = {split: tuple(count[p] for p in places) for split, count in card.counts.items()}
    train = [count for count in counts.get("train", ()) if count]
    return replace(
        card,
        classes=tuple(classes),
        counts=counts,
        sha256=sha256(f"{card.sha256} {list(classes)}".encode()).hexdigest(),
        imbalance=max(train) / min(train) if train else card.imbalance,
    )


def restricted(data: Prepared, classes: Sequence[str]) -> Prepared:
    """Take the images of ``classes`` alone, in their order, with labels that count from 0.

    Raises:
        UserError: One is not among those of the data, or there is no image of them.
    """
    card, labels = card_of_classes(data.card, classes), data.images.labels
    numbers = torch.full((len(data.card.classes),), -1, device=labels.device)
    for number, name in enumerate(classes):
        numbers[data.card.classes.index(name)] = number
    own = numbers[labels]
    kept = torch.nonzero(own >= 0)[:, 0]
    none = f"none of {len(own)} images is of the classes {listed(classes)}"
    require(len(kept) > 0, f"{none}: prepare the data with more images, or name other classes")
    return Prepared(data.images.subset(kept).relabelled(own[kept]), card)
