"""The command ``sakd dvc``: write the stages of DVC from the grid, or check that they follow it.

The stages run in one environment, ``base`` or the one that ``--env`` names, whatever KEDRO_ENV
and ``conf/local`` say: DVC knows of the files of that environment alone. Those of ``base`` are in
``dvc.yaml``, those of another environment in the folder of its configuration, next to the
parameters that they depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
import yaml

from sakd.foundation.errors import require
from sakd.foundation.files import at_once
from sakd.project.commands import invoke
from sakd.project.options import Once
from sakd.project.parameters import loader_of, project_folder, read_parameters
from sakd.project.stage_parameters import PARAMETERS, files_of
from sakd.project.stages import BASE, Stages

FILE = "dvc.yaml"
BEGINNING = "# Written by `sakd dvc"
HEAD = "# Written by `{command}` from the grid in {files}; do not edit.\n"


def main(arguments: Sequence[str]) -> None:
    """Run the command with ``arguments``.

    Raises:
        UserError: There is no such environment, a parameter is wrong, or the stages to check do not
            follow the grid.
    """
    invoke(command, arguments)


def dvc(*, env: str, check: bool) -> None:
    """Write the stages of DVC from the grid of an environment.

    Those of the environment base are written to dvc.yaml, those of another one to
    conf/ENVIRONMENT/dvc.yaml. A file that is right already is left as it is.
    """
    root = project_folder()
    file, text = file_of(env), stages_text(root, env)
    if followed(root, env, text):
        click.echo(f"{file} follows the grid")
        return
    require(not check, complaint(env))
    with at_once(root / file) as partial:
        partial.write_text(text, "utf-8")
    click.echo(f"{file} is written from the grid")


def file_of(environment: str) -> str:
    """Name the file of the stages of an environment, from the folder of the project."""
    return FILE if environment == BASE else f"conf/{environment}/{FILE}"


def command_for(environment: str) -> str:
    """Write the command that writes the stages of an environment."""
    return "sakd dvc" if environment == BASE else f"sakd dvc --env {environment}"


def complaint(environment: str) -> str:
    """Say that the stages of an environment do not follow its grid, and the remedy."""
    found = f"{file_of(environment)} does not follow the grid of {PARAMETERS.format(environment)}"
    return f"{found}: write it again with `{command_for(environment)}`"


def followed(root: Path, environment: str, text: str | None = None) -> bool:
    """Tell whether the stages of an environment are those of its grid.

    Args:
        root: The folder of the project.
        environment: The environment.
        text: The stages as they should be; None to make them.
    """
    file = root / file_of(environment)
    return file.exists() and file.read_bytes() == (text or stages_text(root, environment)).encode()


def is_ours(root: Path, environment: str) -> bool:
    """Tell whether there are stages of an environment, and this command has written them."""
    file = root / file_of(environment)
    return file.exists() and file.read_bytes().startswith(BEGINNING.encode())


def stages_of(root: Path, environment: str) -> Stages:
    """Describe the stages of an environment of the project in ``root``, the working directory.

    Raises:
        UserError: There is no such environment, or a parameter is wrong.
    """
    loader = loader_of(root, environment)
    parameters = read_parameters(loader, root)
    files = files_of(root, *dict.fromkeys([BASE, environment]))
    return Stages(parameters, environment, files, loader["globals"]["data_root"])


def stages_text(root: Path, environment: str) -> str:
    """Write the stages of an environment of the project in ``root`` as they should be.

    Raises:
        UserError: There is no such environment, or a parameter is wrong.
    """
    with chdir(root):
        return dvc_yaml(stages_of(root, environment))


def dvc_yaml(stages: Stages) -> str:
    """Write ``stages`` as the text of ``dvc.yaml``."""
    environment = stages.environment
    head = HEAD.format(command=command_for(environment), files=PARAMETERS.format(environment))
    above = "" if environment == BASE else "../../"
    content = {
        "stages": {name: _within(stage, above) for name, stage in stages.every().items()},
        "metrics": [above + file for file in stages.metrics()],
        "plots": stages.plots(above),
    }
    return head + yaml.dump(content, Dumper=_Plain, sort_keys=False, width=100)


def _within(stage: dict[str, Any], above: str) -> dict[str, Any]:
    """Have a stage run in the folder of the project, which is ``above`` that of its file."""
    if not above:
        return stage
    if "do" in stage:
        return {**stage, "do": _within(stage["do"], above)}
    return {"wdir": above.rstrip("/"), **stage}


class _Plain(yaml.SafeDumper):
    """Writes a list again where it occurs again, in place of a reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True


command = Once(
    "dvc",
    callback=dvc,
    help=dvc.__doc__,
    params=[
        click.Option(
            ["--env"], default=BASE, show_default=True, help="The environment of the stages."
        ),
        click.Option(["--check"], is_flag=True, help="Write nothing; fail if they do not follow."),
    ],
)
