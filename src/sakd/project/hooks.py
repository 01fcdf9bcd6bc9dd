"""What happens around a Kedro run: parameters are typed at the door, errors told in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import torch
from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from yaml import YAMLError

from sakd.foundation.console import log_to_console
from sakd.foundation.errors import UserError, require
from sakd.foundation.machine import resolve_device
from sakd.foundation.tables import Table
from sakd.networks.outside.names import slug
from sakd.pipelines.data_preparation.earlier import Earlier
from sakd.project.parameters import activate, active_parameters
from sakd.study.parameters import parse_parameters


class ParameterHooks:
    """Types the parameters before any pipeline is built, and hands them to the nodes."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Type the parameters of this environment and command line.

        ``context.params`` must not be read here: it would build the pipelines too early.

        Raises:
            ClickException: a key or value is wrong, or there is no such environment.
        """
        log_to_console()
        with told_in_one_line():
            activate(parse_parameters(_parameters(context)))

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol[str, Any]) -> None:
        """Put the typed parameters, the rows and the teachers where nodes find them."""
        parameters = active_parameters()
        catalog["parameters"] = parameters
        catalog["params:data"] = parameters.data
        earlier = Earlier(catalog, parameters.data.slug, parameters.data.images)
        catalog["params:earlier"] = MemoryDataset(earlier, copy_mode="assign")
        for network in parameters.grid.teachers():
            catalog[f"params:teachers.{slug(network)}"] = network
        for row in parameters.grid.rows(parameters.data.slug):
            catalog[f"params:rows.{row.id}"] = row

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[str, Any]) -> None:
        """Stop before work starts if the device, raw data or what earlier stages make is missing.

        Raises:
            ClickException: it is.
        """
        parameters = active_parameters()
        with told_in_one_line():
            resolve_device(parameters.device)
            if any("data_preparation" in node.tags for node in pipeline.nodes):
                parameters.data.check()
            parameters.check_files({tag for node in pipeline.nodes for tag in node.tags})
            missing = sorted(name for name in pipeline.inputs() if not catalog.exists(name))
            listed = ", ".join(missing)
            require(not missing, f"not there yet: {listed}; run the stages before, or all of them")
        if parameters.threads is not None:
            torch.set_num_threads(parameters.threads)

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Tell what the user can mend in one line, without a traceback.

        Raises:
            ClickException: ``error`` is a `UserError`.
        """
        if isinstance(error, UserError):
            raise click.ClickException(f"{node.name}: {error}") from error

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Tell in one line what a file or the disk refuses: missing, damaged, full, read-only.

        Raises:
            ClickException: ``error`` is of files.
        """
        if isinstance(error, DatasetError | OSError):
            raise click.ClickException(" ".join(str(error).split())) from error


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Have click show what the user can mend, and end with exit code 1.

    Raises:
        ClickException: in the place of a `UserError`.
    """
    try:
        yield
    except UserError as error:
        raise click.ClickException(str(error)) from error


def _parameters(context: KedroContext) -> Mapping[str, Any]:
    """The raw parameters of the environment and the command line.

    Raises:
        UserError: there is no such environment, or a file of it is no YAML.
    """
    loader = context.config_loader
    try:
        parameters: Mapping[str, Any] = loader["parameters"]
    except MissingConfigException as error:
        folders = (path for path in Path(loader.conf_source).iterdir() if path.is_dir())
        known = sorted(path.name for path in folders)
        _ = Table("environment", dict.fromkeys(known))[str(context.env)]
        raise UserError(str(error)) from error
    except YAMLError as error:
        raise UserError(" ".join(str(error).split())) from error
    return parameters
