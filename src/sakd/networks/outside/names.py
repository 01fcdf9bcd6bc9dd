"""Names of networks: of the zoo, or a source, an item there, and arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sakd.foundation.errors import UserError
from sakd.foundation.names import base_of, file_name, parse_arguments

FORMS = "torchvision:NAME, timm:NAME or package.module:function"
EXAMPLE = "torchvision:vit_b_16(image_size=64; dropout=0.1)"

_OUTSIDE = re.compile(r"(?P<source>[A-Za-z_][\w.]*):(?P<item>[A-Za-z_][\w.]*)(\((?P<given>.*)\))?")
ARGUMENTS = r"\((?:'[^']*'|\"[^\"]*\"|[^'\"])*?\)"
"""A pattern of the brackets of a name, up to the first that can close them."""

_LONGEST_SLUG = 64


@dataclass(frozen=True)
class OutsideName:
    """The name of a network outside of the zoo: ``source:item(argument=value; ...)``.

    Attributes:
        source: ``torchvision``, ``timm`` or a module that Python can import.
        item: The name of the model, or of the function that makes it.
        arguments: Keyword arguments for the maker of the model.
        stages: The argument ``stages``, which is ours: submodules after which to cut.
    """

    source: str
    item: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[str, ...] = ()


def is_outside(name: str) -> bool:
    """Whether ``name`` means a network outside of the zoo."""
    return ":" in name


def parse_name(name: str) -> OutsideName:
    """Split a name into its parts; `parse_arguments` reads the arguments.

    >>> parse_name("torchvision:vit_b_16(image_size=64; dropout=0.1)").arguments
    {'image_size': 64, 'dropout': 0.1}

    Raises:
        UserError: The name is not of this form.
    """
    found = _OUTSIDE.fullmatch(name.strip())
    if found is None:
        raise UserError(
            f"{name!r} is not the name of a network; write {FORMS}, with arguments as in {EXAMPLE}"
        )
    arguments = parse_arguments(name, found["given"] or "", EXAMPLE)
    stages = arguments.pop("stages", ())
    if not isinstance(stages, list | tuple) or not all(isinstance(s, str) for s in stages):
        raise UserError(f"{name!r}: stages is a list of names, as in stages=['stem'; 'layer1']")
    return OutsideName(found["source"], found["item"], arguments, tuple(stages))


def split_names(names: str, sign: str) -> tuple[str, str] | None:
    """Split two names at the first ``sign`` that is outside of brackets; None without such a sign.

    >>> split_names("torchvision:vit_b_16(dropout=0.1)/resnet8", "/")
    ('torchvision:vit_b_16(dropout=0.1)', 'resnet8')
    """
    found = re.fullmatch(rf"([^{sign}(]+(?:{ARGUMENTS})?)\s*{sign}\s*(.+)", names)
    return (found[1].strip(), found[2].strip()) if found else None


def slug(name: str) -> str:
    """Shorten ``name`` for ids and file names.

    Names of the zoo without arguments stay as they are. Others keep letters and digits, with
    underscores between; a long slug ends in a hash. Two names may share a slug: `Grid.check`
    refuses that.

    >>> slug("torchvision:resnet18(small_images=true)"), slug("vgg8(keep=0.5)")
    ('torchvision_resnet18_small_images_true', 'vgg8_keep_0_5')
    """
    plain = not is_outside(name) and base_of(name) == name
    return name if plain else shortened(file_name(name), name)


def shortened(clean: str, name: str) -> str:
    """Cut ``clean``, made of ``name``, where it is too long for a file name; end it in a hash."""
    if len(clean) <= _LONGEST_SLUG:
        return clean
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{clean[: _LONGEST_SLUG - 9]}_{digest}"
