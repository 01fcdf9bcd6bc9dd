"""Kedro's loader of configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sakd.project.errors import check_conf, one_line, told_in_one_line

REMEDY = (
    "write the value itself, or give it with --params (only credentials.yml may use ${oc.env:...})"
)

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
            ClickException: A file is no YAML, or refers to what does not exist.
        """
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

    def _broken(self, key: str) -> str:
        """Name the first file of ``key`` that is no YAML, or the folder of all files."""
        folders = [Path(self.conf_source) / str(name) for name in (self.base_env, self.env)]
        for folder in folders:
            for path in sorted(each for p in self.config_patterns[key] for each in folder.glob(p)):
                try:
                    OmegaConf.load(path)
                except (YAMLError, UnicodeDecodeError, RecursionError, OSError):
                    return str(path)
        return f"a file of {key} in {self.conf_source}"
