"""Kedro's context of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from attrs import define
from kedro.framework.context import KedroContext
from kedro.framework.project import configure_logging, pipelines

from sakd.foundation.console import log_to_console
from sakd.project.errors import told_in_one_line
from sakd.project.parameters import activate, active_parameters, for_nodes, read_parameters


@define(slots=False)
class Context(KedroContext):
    """A context whose parameters are typed and checked when it is made.

    That is before any pipeline is built, and for every command that has a session: kedro-viz
    and notebooks make a context without calling the hooks of the project.
    """

    def __attrs_post_init__(self) -> None:
        """Type the parameters, and build pipelines from them from now on.

        Raises:
            ClickException: There is no such environment, or a key or value is wrong.
        """
        logging = Path(self.config_loader.conf_source) / "logging.yml"
        if logging.exists() and logging.parent != Path.cwd() / "conf":  # Kedro looks there only
            configure_logging(yaml.safe_load(logging.read_text()))
        log_to_console()
        with told_in_one_line():
            activate(read_parameters(self.config_loader, self.project_path))
        # Pipelines of an earlier context in this process are of other parameters.
        pipelines.configure(f"{self._package_name}.pipeline_registry")

    @property
    def params(self) -> dict[str, Any]:
        """The typed parameters, from which Kedro makes ``parameters`` and ``params:...``.

        Kedro would validate them by the type hints of the nodes, for which it builds the
        pipelines first; here the pipelines depend on the grid, so the grid is typed before.
        """
        return for_nodes(active_parameters())
