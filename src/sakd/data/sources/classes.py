"""The names of classes: one form, one order, and enough images of each."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sakd.foundation.errors import UserError, require
from sakd.foundation.names import listed
from sakd.foundation.text import UNWRITABLE, quoted

SPLITS = ("train", "val", "test")

LONGEST = 255
"""Letters of the name of a class, as of a folder."""

LENGTH = f"of 1 to {LONGEST} letters"
_WHOLE = re.compile(r"-?[0-9]+")


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC), in which equal-looking names are equal."""
    return unicodedata.normalize("NFC", name)


def in_order(found: Iterable[str], wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Put the names of classes in order: as ``wanted``, else whole numbers by value, then names.

    Raises:
        UserError: ``wanted`` names other classes than those found.
    """
    names = sorted(found, key=_natural)
    if not wanted:
        return tuple(names)
    order = tuple(map(composed, wanted))
    wrong = {
        "unknown": [name for name in order if name not in names],
        "missing": [name for name in names if name not in order],
        "named twice": [name for name, times in Counter(order).items() if times > 1],
    }
    said = [f"{listed(each)} {fault}" for fault, each in wrong.items() if each]
    require(not said, f"data.classes: {'; '.join(said)}; name each of {listed(names)} once")
    return order


def _natural(name: str) -> tuple[bool, int, str]:
    return (False, int(name), name) if _WHOLE.fullmatch(name) else (True, 0, name)


def check_names(names: Sequence[str], place: object) -> None:
    """Check that each class has a name of its own, of one line.

    Args:
        names: Their names.
        place: Where they were found, for messages.

    Raises:
        UserError: A name is not printable, or several classes share one.
    """
    strange = [name for name in names if not writable(name)]
    found = f"{place} calls classes {', '.join(map(quoted, strange))}"
    require(not strange, f"{found}; give each a name of one line that can be seen, {LENGTH}")
    twice = [name for name, times in Counter(names).items() if times > 1]
    found = f"{place} has several classes called {listed(twice)}"
    require(not twice, f"{found}; give each a name of its own")


def writable(name: str) -> bool:
    """Tell whether a class can be called so: on one line, to be seen as it is read by machines."""
    return not UNWRITABLE.search(name) and 0 < len(name.strip()) <= LONGEST


def check_counts(labels: Mapping[str, Sequence[int]], classes: Sequence[str]) -> None:
    """Check that every class has a training image, and one for each split carved from them.

    Args:
        labels: Those of ``train``, and of ``val`` and ``test`` where they exist.
        classes: Class names.

    Raises:
        UserError: There is one class only, a class has too few training images, or a split none.
    """
    require(len(classes) > 1, f"one class, {', '.join(classes)!r}; at least 2 can be told apart")
    for split, each in labels.items():
        require(len(each) > 0, f"{split} has no images; add some, or remove it")
    carved = [split for split in SPLITS if split not in labels]
    counts = Counter(labels["train"])
    purpose = f" to split off {' and '.join(carved)}" if carved else ""
    for label, name in enumerate(classes):
        count = counts[label]
        found = f"class {name!r} has {count} image{'' if count == 1 else 's'} for training"
        remedy = f"needed: {1 + len(carved)} or more{purpose}; add images or remove the class"
        require(count > len(carved), f"{found}; {remedy}")


def check_known(classes: Iterable[str], known: Iterable[str], place: object) -> None:
    """Check that every class of val or test is in train too.

    Args:
        classes: The classes of the split.
        known: Those of train.
        place: Where the split is, for messages.

    Raises:
        UserError: One is not.
    """
    strange = sorted(set(classes) - set(known))
    if strange:
        found = f"{place} has classes that train has not: {listed(strange)}"
        raise UserError(f"{found}; add them to train, or remove them")


def lacking(labels: Mapping[str, Sequence[int]], classes: Sequence[str]) -> tuple[str, ...]:
    """Say which classes the splits that come with a dataset have no image of."""
    notes = []
    for split, each in labels.items():
        there = set(each)
        if absent := [name for label, name in enumerate(classes) if label not in there]:
            notes.append(
                f"{split} has no image of {listed(absent)}: nothing is measured of them there"
            )
    return tuple(notes)
