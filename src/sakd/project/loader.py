"""Kedro's loader of configuration files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sakd.foundation.aliases import check_aliases
from sakd.foundation.errors import UserError
from sakd.project.errors import check_conf, one_line, told_in_one_line

REMEDY = (
    "write the value itself, or give it with --params (only credentials.yml may use ${oc.env:...})"
)

SUFFIXES = (".yml", ".yaml", ".json")
"""The endings of files that Kedro reads."""

FORM = "write names and values in it, each name once, in UTF-8, nested a few levels deep"


class Loader(OmegaConfigLoader):
    """A loader that reports in one line what it cannot read: parameters, catalog, globals."""

    def __init__(self, conf_source: str | Path, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - Kedro's
        """Read files in the folder ``conf_source``, see `OmegaConfigLoader`.

        Raises:
            ClickException: It is no folder of this machine.
        """
        with told_in_one_line():
            check_conf(conf_source)
        super().__init__(str(conf_source), *arguments, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Read the files of ``key``, see `OmegaConfigLoader`.

        Raises:
            ClickException: A file is no YAML, has too many values, or refers to what does not
                exist.
        """
        self._check_aliases(key)
        try:
            content: dict[str, Any] = super().__getitem__(key)
        except (YAMLError, UnicodeDecodeError, RecursionError, AttributeError, OSError) as error:
            if getattr(error, "filename", None) is not None:
                raise  # of the system, not of omegaconf
            found = f"{self._broken(key)} cannot be read ({one_line(error)})"
            raise click.ClickException(f"{found}: {FORM}") from error
        except OmegaConfBaseException as error:
            place = f"{key}, {error.full_key}" if error.full_key else key
            reason = str(error).partition("\n")[0]
            raise click.ClickException(f"{place}: {reason}; {REMEDY}") from error
        return content

    def _check_aliases(self, key: str) -> None:
        for path in self._files(key):
            with suppress(YAMLError, UnicodeDecodeError, RecursionError):  # told when it is read
                try:
                    check_aliases(path.read_text(encoding="utf-8"))
                except UserError as error:
                    raise click.ClickException(f"{path}: {error}") from error

    def _broken(self, key: str) -> str:
        """Name the first file of ``key`` that is no YAML, or the folder of all files."""
        for path in self._files(key):
            try:
                OmegaConf.load(path)
            except (YAMLError, UnicodeDecodeError, RecursionError, OSError):
                return str(path)
        return f"a file of {key} in {self.conf_source}"

    def _files(self, key: str) -> Iterator[Path]:
        """Find the files of ``key``, those of the base environment first."""
        for name in (self.base_env, self.env):
            folder = Path(self.conf_source) / str(name)
            found = {path for pattern in self.config_patterns[key] for path in folder.glob(pattern)}
            yield from sorted(path for path in found if path.suffix in SUFFIXES and path.is_file())
