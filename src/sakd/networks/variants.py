"""Teachers of one network that differ in their training: ``network@variant``, and in their own."""

from __future__ import annotations

from functools import cache

from sakd.networks.outside import names
from sakd.networks.paths import EACH, STEP, TOGETHER, members, split_path

SIGN = "@"

_WORDS = {EACH: "_and_to_", STEP: "_to_", TOGETHER: "_and_"}
"""Words for the signs between names, in file names."""


def split_variant(name: str) -> tuple[str, str | None]:
    """Split the name of a network and its variant, None for the plain one.

    >>> split_variant("resnet20@brief"), split_variant("resnet20")
    (('resnet20', 'brief'), ('resnet20', None))
    """
    found = names.split_names(name, SIGN)
    return found or (name, None)


def last_of(member: str) -> tuple[str, str | None]:
    """Split the last name of a path into network and variant: that which is trained at its end.

    >>> last_of("resnet56/resnet20@brief")
    ('resnet20', 'brief')
    """
    return split_variant(split_path(member)[0][-1])


@cache
def network_of(teacher: str) -> str:
    """Name the network of a teacher; the networks of several, joined.

    >>> network_of("resnet20@brief"), network_of("resnet56/resnet20&vgg8@brief")
    ('resnet20', 'resnet20&vgg8')
    """
    return TOGETHER.join(last_of(member)[0] for member in members(teacher))


def root_of(teacher: str) -> str:
    """Name the first network of a path.

    >>> root_of("resnet56@brief/resnet20")
    'resnet56'
    """
    return split_variant(split_path(teacher)[0][0])[0]


def kind_of(teacher: str) -> str:
    """Tell how a teacher came to be, whatever its networks; empty for a plain teacher.

    >>> kind_of("resnet56"), kind_of("resnet56@brief"), kind_of("resnet56@brief/resnet20")
    ('', '@brief', '@brief/')
    """
    parts, signs = split_path(teacher)
    variants = (split_variant(part)[1] for part in parts)
    marks = (f"{SIGN}{variant}" if variant else "" for variant in variants)
    return "".join(f"{mark}{sign}" for mark, sign in zip(marks, (*signs, ""), strict=True))


@cache
def slug(name: str) -> str:
    """Shorten the name of a network or a teacher, see `sakd.networks.outside.names.slug`.

    >>> slug("resnet20@brief"), slug("resnet56/resnet20")
    ('resnet20_brief', 'resnet56_to_resnet20')
    """
    parts, signs = split_path(name)
    if not signs:
        return _slug(name)
    words = ("", *(_WORDS[sign] for sign in signs))
    joined = "".join(f"{word}{_slug(part)}" for word, part in zip(words, parts, strict=True))
    return names.shortened(joined, name)


def _slug(name: str) -> str:
    network, variant = split_variant(name)
    short = names.slug(network)
    return short if variant is None else f"{short}_{variant.replace(SIGN, '_')}"
