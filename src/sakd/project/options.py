"""Kedro's options and commands, where what is wrong with them is one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import copy
from typing import Any

import click
from click.core import ParameterSource
from kedro.framework.cli.utils import KedroCliError
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sakd.foundation.aliases import check_aliases
from sakd.foundation.errors import UserError
from sakd.foundation.text import quoted
from sakd.project.errors import in_one_line, one_line
from sakd.project.given import check_given_once
from sakd.project.run_file import OPTION, take_options

YAML = ("--params", "--runner-params")
"""Options whose values are read as YAML."""

FORM = "a value is read as YAML: put text with signs into quotes, as in data.path='@home'"


class Once(click.Command):
    """A command that refuses options that are given twice, of which click takes the last."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, see `click.Command.parse_args`.

        Raises:
            UsageError: An option has several values, or an argument is wrong.
        """
        _, _, named = self.make_parser(ctx).parse_args(args=list(args))
        for option, times in Counter(named).items():
            if times > 1 and _has_one_value(option):
                name = max(option.opts, key=len)
                raise click.UsageError(f"{name} is given twice, and one would count: write it once")
        return super().parse_args(ctx, args)


class OneLine(Once):
    """A command of click or Kedro that says in one line which of its options is wrong."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's
    ) -> click.Context:
        """Read the arguments, see `click.Command.make_context`.

        Raises:
            ClickException: An argument is wrong.
        """
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            raise in_one_line(
                error, f"{parent.command_path} {info_name}" if parent else str(info_name)
            ) from error

    def invoke(self, context: click.Context) -> Any:  # noqa: ANN401 - click's
        """Run the command, see `click.Command.invoke`.

        Raises:
            ClickException: Its arguments are wrong together.
        """
        try:
            return super().invoke(context)
        except (click.UsageError, KedroCliError) as error:
            raise in_one_line(error, context.command_path) from error


def readable(options: Iterable[click.Parameter]) -> list[click.Parameter]:
    """Copy ``options``; the copies refuse in one line values that are empty or no YAML.

    Kedro ends in a traceback on the latter, and takes the former, perhaps of a variable of the
    shell that is not set, for an option that is not given.
    """
    return [_readable(option) for option in options]


def _has_one_value(parameter: click.Parameter) -> bool:
    flag = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count)
    return not flag and not parameter.multiple and parameter.nargs == 1


def _readable(option: click.Parameter) -> click.Parameter:
    read = take_options if option.name == OPTION else option.callback

    def read_or_tell(context: click.Context, parameter: click.Parameter, value: Any) -> Any:  # noqa: ANN401
        name = max(parameter.opts, key=len)
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and value == "":
            raise click.UsageError(f"{name} is empty: give it a value, or leave it out")
        try:
            if name in YAML and isinstance(value, str):
                for item in value.split(","):
                    check_aliases(item.partition("=")[2])
            content = value if read is None else read(context, parameter, value)
        except (YAMLError, OmegaConfBaseException, RecursionError, UserError) as error:
            found = f"{name} {quoted(value)} cannot be read ({one_line(error)})"
            raise click.ClickException(f"{found}: {FORM}") from error
        if name in YAML and isinstance(value, str):
            try:
                check_given_once(name, value)
            except UserError as error:
                raise click.UsageError(str(error)) from error
        return content

    told = copy(option)
    told.callback = read_or_tell
    return told
