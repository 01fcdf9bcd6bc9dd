"""What names have in common: the arguments that they bring along, and how files are called."""

from __future__ import annotations

import ast
import re
from typing import Any

from sakd.foundation.errors import UserError

_QUOTED_OR_SEMICOLON = re.compile(r"'[^']*'|\"[^\"]*\"|;")
_WORDS = {"true": True, "false": False, "none": None, "null": None}


def file_name(name: str) -> str:
    """``name`` with letters, digits and underscores of ASCII alone.

    >>> file_name("torchvision:resnet18(small_images=true)")
    'torchvision_resnet18_small_images_true'
    """
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")


def parse_arguments(name: str, given: str, example: str) -> dict[str, Any]:
    """Read what stands between the brackets of a name: ``argument=value; ...``.

    Arguments are separated by semicolons, which survive Kedro's ``--params`` and lists in YAML, or
    by commas. Values are Python literals; ``true``, ``false`` and ``null`` are understood too.

    >>> parse_arguments("x(a=64; b=true)", "a=64; b=true", "x(a=1)")
    {'a': 64, 'b': True}

    Args:
        name: The whole name, for messages.
        given: What stands between its brackets.
        example: A name with arguments, for messages.

    Raises:
        UserError: These are no arguments.
    """
    try:
        listed = _QUOTED_OR_SEMICOLON.sub(lambda m: "," if m[0] == ";" else m[0], given)
        call = _Words().visit(ast.parse(f"_({listed})", mode="eval").body)
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError
        names = [keyword.arg for keyword in call.keywords]
        if None in names or len(set(names)) < len(names):
            raise ValueError
        return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise UserError(
            f"the arguments of {name!r} are no list of name=value with plain values "
            f"(numbers, quoted words, true, false, null, lists); write them as in {example}"
        ) from error


class _Words(ast.NodeTransformer):
    """Puts values in place of the words that YAML has for them."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else node
