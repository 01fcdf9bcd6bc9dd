"""Names of all kinds: near matches, their form as file names, and their arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from sakd.foundation.errors import UserError
from sakd.foundation.text import quoted

LISTED = 40
"""The most names that a message lists; a longer list is left out if there are near matches."""

_TOKENS = re.compile(r"'[^']*'|\"[^\"]*\"|;|\b(?:true|false|null|none)\b")
_PYTHON = {";": ",", "true": "True", "false": "False", "null": "None", "none": "None"}


def unknown(
    kind: str, name: object, known: Iterable[str], *, within: str = "", most: int = LISTED
) -> str:
    """Write the message that no ``kind`` is called ``name``, with near matches and known names.

    >>> unknown("policy", "ranom", ["random", "anti"])
    "unknown policy 'ranom'; did you mean 'random'? known: random, anti"

    Args:
        kind: A noun in the singular.
        name: The name as it was given.
        known: All known names.
        within: A prefix of ``name`` in the message, such as ``grid.``.
        most: The most names that are listed.
    """
    names = {one.casefold(): one for one in known}
    near = [repr(names[one]) for one in get_close_matches(str(name).casefold(), names)]
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    more = ", ..." if len(names) > most else ""
    listed = f"known: {', '.join([*names.values()][:most])}{more}"
    shown = hint.strip() if near and more else f"{hint}{listed}"
    return f"unknown {kind} {quoted(f'{within}{name}')}; {shown}"


def listed(names: Iterable[object], most: int = 10, between: str = ", ") -> str:
    """Join the first names, and count the rest.

    >>> listed("abcd", most=2)
    'a, b and 2 more'
    """
    every = list(map(str, names))
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return between.join(every[:most]) + more


def file_name(name: str) -> str:
    """Reduce ``name`` to letters, digits and underscores of ASCII.

    >>> file_name("torchvision:resnet18(small_images=true)")
    'torchvision_resnet18_small_images_true'
    """
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")


def base_of(name: str) -> str:
    """Give ``name`` without its arguments.

    >>> base_of("vgg8(keep=0.5)"), base_of("vgg8")
    ('vgg8', 'vgg8')
    """
    return name.partition("(")[0].strip()


def parse_arguments(name: str, given: str, example: str) -> dict[str, Any]:
    """Read the arguments in the brackets of a name: ``argument=value; ...``.

    Arguments are separated by semicolons, which survive Kedro's ``--params`` and lists in YAML, or
    by commas. Values are Python literals; ``true``, ``false`` and ``null`` are understood too.

    >>> parse_arguments("x(a=64; b=true)", "a=64; b=true", "x(a=1)")
    {'a': 64, 'b': True}

    Args:
        name: The whole name, for messages.
        given: The text between its brackets.
        example: A name with arguments, for messages.

    Raises:
        UserError: They are not of this form.
    """
    try:
        python = _TOKENS.sub(lambda token: _PYTHON.get(token[0], token[0]), given)
        call = ast.parse(f"_({python})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError
        names = [keyword.arg for keyword in call.keywords]
        if None in names or len(set(names)) < len(names):
            raise ValueError
        return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise UserError(
            f"the arguments of {name!r} are not a list of name=value with plain values "
            f"(numbers, quoted words, true, false, null, lists); write them as in {example}"
        ) from error
