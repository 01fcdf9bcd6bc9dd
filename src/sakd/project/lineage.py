"""The pipelines as a site and as a picture, by kedro-viz: ``make lineage``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import click
from kedro.framework import project
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_viz.data_access import data_access_manager
from kedro_viz.integrations.deployment.local_deployer import LocalDeployer
from kedro_viz.server import load_and_populate_data

from sakd.foundation.errors import require
from sakd.project.browser import SECONDS, browse, find_browser
from sakd.project.closed import closed, track_nobody
from sakd.project.errors import told_in_one_line
from sakd.project.options import OneLine, readable
from sakd.project.parameters import project_folder
from sakd.project.run_status import show
from sakd.project.session import look_up

SITE, PICTURE = Path("build/lineage"), Path("build/lineage.png")
RUNS = "workflow"
"""The place of the page that shows the times of the last run."""

ZOOM, MARGIN, LARGEST = 0.8, 140, 2600
"""The size of the picture: of the drawing, around it, and its longest side in pixels."""

VIEW = Path(__file__).parent / "templates" / "lineage.js"
"""The script of the browser: it unfolds MODULES, and waits PATIENCE seconds for each."""


def build_site(folder: Path, env: str | None = None, params: dict[str, Any] | None = None) -> None:
    """Build the site of kedro-viz for an environment, with previews and the times of runs.

    The command ``kedro viz build`` knows no environments, and gives up after five minutes.

    Args:
        folder: For the site; an earlier one there is deleted.
        env: The environment; None for the project's own.
        params: Parameters of the command line.

    Raises:
        UserError: The site is incomplete.
    """
    track_nobody()
    data_access_manager.reset_fields()
    named = {"package_name": project.PACKAGE_NAME, "env": env, "extra_params": params}
    load_and_populate_data(Path.cwd(), **named)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    deployer = LocalDeployer()
    deployer._path = folder
    deployer.deploy(is_all_previews_enabled=True)
    page = folder / "index.html"
    require(page.exists(), f"the site was not built: {page} is missing")
    (folder / "telemetry.html").unlink(missing_ok=True)  # a part of a page that tracks
    for each in folder.glob("*.html"):
        each.write_text(closed(each.read_text()))
    content = page.read_text()
    (folder / RUNS).mkdir()
    (folder / RUNS / page.name).write_text(content.replace("<head>", '<head><base href="../">', 1))


def script(modules: Sequence[str]) -> str:
    """Give the script that unfolds ``modules`` and writes what is to be seen into the page."""
    given = {"MODULES": list(modules), "PATIENCE": SECONDS / 2}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in given.items()]
    return f"{''.join(lines)}{VIEW.read_text()}"


def draw_site(folder: Path, picture: Path, modules: Sequence[str] = ()) -> None:
    """Draw the site in ``folder`` with ``modules`` unfolded.

    Raises:
        UserError: There is no browser, a script of the page fails, or it draws nothing.
    """
    found = browse(folder, script(modules))
    errors = "; ".join(found["errors"])
    require(not errors, f"the page in {folder} fails: {errors}")
    zoom = min(ZOOM, (LARGEST - MARGIN) / max(found["width"], found["height"]))
    width, height = (round(zoom * found[side]) + MARGIN for side in ("width", "height"))
    browse(folder, script(modules), picture, (width, height))
    require(picture.exists(), f"{picture} was not drawn: see that its folder can be written")


@click.command(cls=OneLine)
@click.option("--env", help="The environment; the project's own if there is none.")
@click.option("--unfold", multiple=True, help="A module to unfold in the picture.")
@click.option("--site-only", is_flag=True, help="Draw no picture: that needs a browser.")
def main(
    env: str | None, unfold: Sequence[str], params: dict[str, Any], *, site_only: bool
) -> None:
    """Build the site of the pipelines in build/lineage, and draw it as build/lineage.png."""
    with told_in_one_line(), chdir(project_folder()):
        if not site_only:
            find_browser()
        bootstrap_project(Path.cwd())
        session = KedroSession.create(save_on_close=False, env=env, runtime_params=params)
        context = session.load_context()
        look_up({"namespaces": unfold}, project.pipelines)
        show(context.catalog, Path.cwd())
        build_site(SITE, env, params)
        click.echo(f"site: {SITE} (python -m http.server --bind 127.0.0.1 --directory {SITE})")
        if not site_only:
            draw_site(SITE, PICTURE, unfold)
            click.echo(f"picture: {PICTURE}")


main.params = readable([*main.params, *(x for x in kedro_run.params if x.name == "params")])

if __name__ == "__main__":
    main()
