"""Teachers that are taught themselves, and several teachers of one student, by their names.

``T/A/S`` is a path: the assistant ``A`` learns from ``T``, the student ``S`` from ``A``. Before the
last slash, ``T1&T2`` are several teachers, and so are ``T//A``, of which each learns from all that
stand before it. All that stands before a slash is thus the name of a teacher. ``T@40`` is the state
of ``T`` after epoch 40 of its training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from sakd.foundation.errors import UserError, require
from sakd.networks.outside.names import ARGUMENTS

STEP, EACH, TOGETHER = "/", "//", "&"
"""Signs between a teacher and whom it teaches, the same who joins it, and teachers of one rank."""

FORM = "write teacher/student"

_NAME = rf"(?:[^/&('\"]|{ARGUMENTS}(?=\s*(?:[/&@]|$)))+?"
_SNAPSHOT = re.compile(r"(.+)@(\d+)")
_PART = re.compile(rf"\s*({_NAME})\s*(//|/|&|$)")


def split_path(path: str) -> tuple[list[str], list[str]]:
    """Split ``path`` into its names and the signs between them.

    >>> split_path("resnet56 / pkg.nets:small(x='a/b')@brief&vgg8")
    (['resnet56', "pkg.nets:small(x='a/b')@brief", 'vgg8'], ['/', '&'])

    Raises:
        UserError: A name is missing.
    """
    names, signs, at = [], [], 0
    while found := _PART.match(path, at):
        names.append(found[1])
        signs.append(found[2])
        at = found.end()
        if not found[2]:
            break
    fine = names and not signs[-1] and not any(name.startswith("@") for name in names)
    if not fine or any(name.endswith("@") for name in names):
        raise UserError(f"grid.pairs: {path!r} is not a pair; {FORM}")
    return names, signs[:-1]


def split_pair(pair: str) -> tuple[str, str]:
    """Split ``teacher/student`` at its last slash.

    >>> split_pair("resnet110/resnet20/resnet8")
    ('resnet110/resnet20', 'resnet8')

    Raises:
        UserError: There is no slash between two names.
    """
    names, signs = split_path(pair)
    if not signs or signs[-1] != STEP:
        raise UserError(f"grid.pairs: {pair!r} is not a pair; {FORM}")
    return _joined(names, signs, len(signs)), names[-1]


@cache
def members(teacher: str) -> tuple[str, ...]:
    """Name the networks that teach together; often that is ``teacher`` alone.

    >>> members("resnet56/vgg13&vgg8")
    ('resnet56/vgg13', 'resnet56/vgg8')
    >>> members("resnet26//resnet20//resnet14")
    ('resnet26', 'resnet26/resnet20', 'resnet26//resnet20/resnet14')
    """
    names, signs = split_path(teacher)
    first = max((place + 1 for place, sign in enumerate(signs) if sign == STEP), default=0)
    found, above = [], _joined(names, signs, first)
    for place in range(first, len(names)):
        if place > first and signs[place - 1] == EACH:
            above = _joined(names, signs, place)
        found.append(f"{above}{STEP}{names[place]}" if above else names[place])
    return tuple(found)


def snapshot_of(member: str) -> tuple[str, int] | None:
    """Split one of the `members` into a teacher and an epoch of its training; often None.

    >>> snapshot_of("resnet56@brief@40"), snapshot_of("resnet56@brief")
    (('resnet56@brief', 40), None)
    """
    found = _SNAPSHOT.fullmatch(member)
    return (found[1], int(found[2])) if found else None


def taught_by(member: str) -> str | None:
    """Name the teacher of one of the `members`; None where it learns from labels alone.

    >>> taught_by("resnet26//resnet20/resnet14"), taught_by("resnet26")
    ('resnet26//resnet20', None)
    """
    return split_pair(member)[0] if len(split_path(member)[0]) > 1 else None


def needed(teacher: str) -> tuple[str, ...]:
    """Name the teachers that must be there before ``teacher`` is made of them, or taught by them.

    >>> needed("resnet56&vgg13"), needed("resnet56/vgg13"), needed("resnet56")
    (('resnet56', 'vgg13'), ('resnet56',), ())
    >>> needed("resnet56/vgg13@40")
    ('resnet56/vgg13',)
    """
    if len(several := members(teacher)) > 1:
        return several
    snapshot = snapshot_of(teacher)
    above = snapshot[0] if snapshot else taught_by(teacher)
    return (above,) if above else ()


def in_order(teacher: str) -> tuple[str, ...]:
    """Name ``teacher`` and all that it depends on, each once, after those that it depends on.

    >>> in_order("resnet26//resnet20")
    ('resnet26', 'resnet26/resnet20', 'resnet26//resnet20')
    """
    before = (name for one in needed(teacher) for name in in_order(one))
    return tuple(dict.fromkeys((*before, teacher)))


def check_path(pair: str) -> None:
    """Check that no teacher is named twice, nor one of several steps once more as the student.

    Raises:
        UserError: One is.
    """
    names, signs = split_path(pair)
    steps = len(signs) - signs.count(TOGETHER)
    once = names if steps > 1 else names[:-1]
    for name in once:
        found = f"grid.pairs: {pair!r} names {name!r} twice"
        remedy = "name each network once, or variants of it, network@variant"
        require(once.count(name) == 1, f"{found}; {remedy}")


def _joined(names: Sequence[str], signs: Sequence[str], count: int) -> str:
    """Join the first ``count`` names by their signs."""
    pairs = zip(names[:count], (*signs, ""), strict=False)
    return "".join(part for pair in pairs for part in pair).rstrip(STEP + TOGETHER)
