"""Teachers of one network that differ in their training: ``network@variant``."""

from __future__ import annotations

from sakd.foundation.errors import UserError
from sakd.networks.outside import names

SIGN = "@"


def split_variant(teacher: str) -> tuple[str, str | None]:
    """Split the name of a teacher into its network and its variant, None for the plain teacher.

    >>> split_variant("resnet20@brief"), split_variant("resnet20")
    (('resnet20', 'brief'), ('resnet20', None))
    """
    found = names.split_names(teacher, SIGN)
    return found or (teacher, None)


def network_of(teacher: str) -> str:
    """Name the network of a teacher."""
    return split_variant(teacher)[0]


def split_pair(pair: str) -> tuple[str, str]:
    """Split ``teacher/student`` into the names of both.

    >>> split_pair("torchvision:vit_b_16(dropout=0.1)@brief/resnet8")
    ('torchvision:vit_b_16(dropout=0.1)@brief', 'resnet8')

    Raises:
        UserError: There is no slash between two names.
    """
    network, rest = split_variant(pair)
    if rest is None or names.split_names(network, "/"):  # the sign is not in the first name
        return names.split_pair(pair)
    variant, slash, student = (part.strip() for part in rest.partition("/"))
    if not (variant and slash and student):
        raise UserError(f"grid.pairs: {pair!r} is not a pair; write teacher/student")
    return f"{network}{SIGN}{variant}", student


def slug(name: str) -> str:
    """Shorten the name of a network or a teacher, see `sakd.networks.outside.names.slug`.

    >>> slug("resnet20@brief")
    'resnet20_brief'
    """
    network, variant = split_variant(name)
    short = names.slug(network)
    return short if variant is None else f"{short}_{names.slug(variant)}"
