"""The file that ``kedro run --config`` names: options, in a section ``run:``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sakd.foundation.aliases import check_aliases
from sakd.foundation.errors import UserError, require
from sakd.foundation.tables import Table
from sakd.foundation.text import quoted
from sakd.project.errors import one_line

OPTION, SECTION = "config", "run"
"""The option that names the file, and the section in it, whatever the command is called."""

FORM = "write options in it by their names, as in run: {env: smoke, params: student.epochs=3}"


def take_options(context: click.Context, _option: click.Parameter, path: str | None) -> str | None:
    """Take the options of a file where the command line does not give them.

    Raises:
        ClickException: The file cannot be read, or an option in it is wrong.
    """
    if path is not None:
        known = [option for option in context.command.params if option.name != OPTION]
        try:
            context.default_map = {**(context.default_map or {}), **_options(Path(path), known)}
        except UserError as error:
            raise click.ClickException(f"--config {path}: {error}; {FORM}") from error
    return path


def _options(path: Path, known: Iterable[click.Parameter]) -> Mapping[str, Any]:
    """Read the options of a file.

    Raises:
        UserError: It cannot be read, has no section of options, or one is wrong.
    """
    content = _read(path)
    found = content.get(SECTION) if isinstance(content, dict) else None
    if not found:
        raise UserError(f"there is no section {SECTION!r} of options")
    if not isinstance(found, dict):
        raise UserError(f"{SECTION!r} is no section, got {quoted(found)}")
    options = Table("option", {str(option.name): option for option in known})
    for name, value in found.items():
        kinds = _kinds(options[name])
        fine = isinstance(value, kinds) and value != ""
        words = " or ".join(KINDS[kind] for kind in kinds)
        require(fine, f"{name!r} takes {words}, got {quoted(value)}")
    return found


def _read(path: Path) -> Any:  # noqa: ANN401 - of YAML
    try:
        check_aliases(path.read_text(encoding="utf-8"))
        return OmegaConf.to_container(OmegaConf.load(path))
    except (YAMLError, UnicodeDecodeError, RecursionError, OmegaConfBaseException) as error:
        raise UserError(f"it cannot be read ({one_line(error)})") from error


KINDS = {str: "a text", dict: "names with values", bool: "true or false"}


def _kinds(option: click.Parameter) -> tuple[type, ...]:
    """Give the types of values that an option takes from a file."""
    if getattr(option, "is_flag", False):
        return (bool,)
    return (dict, str) if option.type is click.UNPROCESSED else (str,)
