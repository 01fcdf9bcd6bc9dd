"""Write ``dvc.yaml``: ``python -m sakd.project.dvc > dvc.yaml``.

The stages run in one environment, ``base`` or the one that ``--env`` names, whatever KEDRO_ENV
and ``conf/local`` say: DVC knows of the files of that environment alone.
"""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import click
import yaml
from kedro.framework.startup import bootstrap_project

from sakd.project.errors import told_in_one_line
from sakd.project.parameters import loader_of, project_folder, read_parameters
from sakd.project.stages import BASE, PARAMETERS, Stages

HEAD = "# Written by `make stages` from the grid in {files}; do not edit.\n"


def dvc_yaml(stages: Stages) -> str:
    """Write ``stages`` as the text of ``dvc.yaml``."""
    head = HEAD.format(files=PARAMETERS.format(stages.environment))
    content = {"stages": stages.every(), "plots": stages.plots()}
    return head + yaml.dump(content, Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    """Writes a list again where it occurs again, in place of a reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@click.command()
@click.option("--env", default=BASE, show_default=True, help="The environment of the stages.")
def main(env: str) -> None:
    """Write the stages of the project in this folder to standard output."""
    root = project_folder()
    bootstrap_project(root)
    loader = loader_of(root, env)
    with told_in_one_line(), chdir(root):
        parameters = read_parameters(loader, root)
        keys = {name: _keys(name) for name in dict.fromkeys([BASE, env])}
        data_root = loader["globals"]["data_root"]
        stages = Stages(parameters, env, keys, data_root)
        click.echo(dvc_yaml(stages), nl=False)


def _keys(environment: str) -> set[str]:
    """Name the parameters that the file of ``environment`` sets."""
    file = Path(PARAMETERS.format(environment))
    return set(yaml.safe_load(file.read_text()) or {}) if file.exists() else set()


if __name__ == "__main__":
    main()
