"""Kedro's options, where what cannot be read in their values is one line."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

import click
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sakd.project.errors import one_line

FORM = "a value is read as YAML: put text with signs into quotes, as in data.path='@home'"


def readable(options: Iterable[click.Parameter]) -> list[click.Parameter]:
    """Copy ``options``; Kedro ends in a traceback on values that are no YAML, the copies do not."""
    return [_readable(option) for option in options]


def _readable(option: click.Parameter) -> click.Parameter:
    read = option.callback
    if read is None:
        return option

    def read_or_tell(context: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401
        try:
            return read(context, parameter, value)
        except (YAMLError, OmegaConfBaseException, RecursionError) as error:
            found = f"{parameter.opts[-1]} {value!r} cannot be read ({one_line(error)})"
            raise click.ClickException(f"{found}: {FORM}") from error

    told = copy(option)
    told.callback = read_or_tell
    return told
