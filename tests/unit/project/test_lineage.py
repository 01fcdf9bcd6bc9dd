"""The site of kedro-viz in a real browser: modules unfold, previews show, nothing is fetched."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
import torch
from click.testing import CliRunner
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from sakd.foundation.errors import UserError
from sakd.foundation.tensors import save_tensors
from sakd.project import browser, lineage
from sakd.project.browser import BROWSERS, browse
from sakd.project.lineage import PICTURE, SITE, build_site, main, script
from sakd.project.run_status import RunStatusHooks, show

ROOT = Path(__file__).parents[3]
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason=f"needs one of {', '.join(BROWSERS)}")
PNG = b"\x89PNG"

LOOK = """
globalThis.LOOK = async () => {
  const shown = async (name, selector) => {
    click(await node(name));
    return until(() => document.querySelector(selector), `${name} shows no ${selector}`);
  };
  const table = await shown("digits-results", "table");
  const plot = await shown("digits-gains", ".js-plotly-plot .main-svg .trace");
  const image = await shown("digits_s0-development", "img[src^='data:image/png']");
  const loaded = performance.getEntriesByType("resource").map(each => new URL(each.name));
  return {
    cells: [...table.querySelectorAll("td")].map(cell => cell.textContent),
    traces: plot.parentNode.querySelectorAll(".trace").length,
    image: image.src,
    elsewhere: loaded.filter(each => each.host && each.host !== location.host).map(String),
    layers: [...document.querySelectorAll(".pipeline-layer-name")].map(each => each.textContent),
  };
};
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a few results."""
    folder: Path = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "conf", folder / "conf")
    (folder / "src").mkdir()  # Kedro wants it
    images = {"images": torch.arange(3 * 64, dtype=torch.uint8).view(3, 1, 8, 8)}
    save_tensors(images, folder / "data/03_primary/digits_s0/development/train.safetensors")
    reports = folder / "data/08_reporting/digits"
    reports.mkdir(parents=True)
    pd.DataFrame({"cell": ["a cell"], "test_top1": [94.5]}).to_csv(reports / "results.csv")
    go.Figure(go.Scatter(y=[1, 2])).write_json(reports / "gains.json")
    return folder


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DO_NOT_TRACK", "")  # nor is there a file .telemetry
    monkeypatch.chdir(project)
    bootstrap_project(project)
    yield project
    bootstrap_project(ROOT)


@pytest.fixture
def site(inside: Path) -> Path:
    if not (inside / SITE).exists():
        context = KedroSession.create(save_on_close=False, env="base").load_context()
        run = RunStatusHooks()
        run.before_pipeline_run(context.catalog)
        for node in pipelines["__default__"].nodes:
            run.before_node_run(node)
            run.after_node_run(node)
        run.after_pipeline_run()
        show(context.catalog, inside)
        build_site(inside / SITE, "base")
    return inside / SITE


@pytest.mark.slow
@needs_browser
def test_modules_unfold_previews_show_and_nothing_is_fetched(site: Path) -> None:
    folded = browse(site, script([]))
    assert folded["errors"] == []
    assert {"seed_0", "seed_4", "join", "report"} <= set(folded["nodes"])
    assert len(folded["nodes"]) < 40
    found = browse(site, f"{LOOK}{script(['seed_0', 'seed_0.students'])}")
    assert found["errors"] == []
    assert {"seed_0.teacher", "seed_0.evaluate", "seed_1"} <= set(found["nodes"])
    assert {"resnet20-resnet8", "resnet20_brief-resnet8"} <= set(found["nodes"])
    assert "seed_0" not in found["nodes"]
    seen: dict[str, Any] = found["seen"]
    assert "a cell" in seen["cells"]
    assert seen["traces"] == 1
    assert base64.b64decode(seen["image"].partition(",")[2]).startswith(PNG)
    assert seen["elsewhere"] == []
    assert seen["layers"] == ["store", "primary", "models", "model_output", "reporting"]


@pytest.mark.slow
@needs_browser
def test_the_last_run_is_shown_with_its_time(site: Path) -> None:
    said = "/completed successfully in .*Completed on/s.test(document.body.innerText)"
    look = f"globalThis.LOOK = () => until(() => {said}, 'no run is shown');"
    found = browse(site, f"{look}{script([])}", page="workflow/")
    assert found["errors"] == []
    assert found["seen"] is True


def test_the_site_refers_to_nothing_elsewhere(site: Path) -> None:
    pages = [path.read_text() for path in site.rglob("*.html")]
    assert len(pages) > 1
    for page in pages:
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=.https?:", page)
        assert "heapanalytics" not in page


@pytest.mark.slow
@needs_browser
def test_the_command_builds_the_site_of_an_environment_and_draws_it(inside: Path) -> None:
    params = "grid.pairs=resnet56/resnet20,grid.seeds=0+1"
    result = CliRunner().invoke(
        main, ["--env", "cifar100", "--unfold", "students", "--params", params]
    )
    assert result.exit_code == 0, result.output
    assert (inside / PICTURE).read_bytes().startswith(PNG)
    nodes = {n["name"] for n in json.loads((inside / SITE / "api/main").read_text())["nodes"]}
    assert {"cifar100-card", "students.resnet56-resnet20", "prepare"} <= nodes
    shutil.rmtree(inside / SITE)


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--params", "data.path=@home"], "'data.path=@home' cannot be read"),
        (["--env", "cifr100"], "unknown environment 'cifr100'; did you mean 'cifar100'"),
        (["--unfold", "seed_00"], "unknown namespace 'seed_00'; did you mean 'seed_0'"),
        (["--params", "grd.seeds=1"], "unknown parameter 'grd'; did you mean 'grid'"),
    ],
)
def test_what_does_not_exist_is_reported_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    built: list[object] = []
    monkeypatch.setattr(lineage, "find_browser", lambda: "chromium")
    monkeypatch.setattr(lineage, "build_site", lambda *given: built.append(given))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert complaint in result.output
    assert built == []


def test_a_site_that_was_not_built_and_a_browser_that_is_missing_are_errors(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    result = CliRunner().invoke(main, [])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "no browser to draw with: install chromium or" in result.output
    monkeypatch.setattr(lineage, "LocalDeployer", _Idle)
    with pytest.raises(UserError, match=r"not built: .*index\.html is missing"):
        build_site(inside / "build" / "nothing", "base")


def test_a_page_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<html><head></head></html>")
    monkeypatch.setattr(browser, "find_browser", lambda: shutil.which("true"))
    with pytest.raises(UserError, match=r"has not answered: try again"):
        browse(tmp_path, "")
    monkeypatch.setattr(browser, "find_browser", lambda: shutil.which("false"))
    with pytest.raises(UserError, match=r"false ended with exit code 1"):
        browse(tmp_path, "")
    monkeypatch.setattr(browser, "SECONDS", 0.05)
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(browser, "find_browser", lambda: str(hangs))
    with pytest.raises(UserError, match=r"hangs has not ended within 0\.1 seconds: try again"):
        browse(tmp_path, "")


class _Idle:
    def deploy(self, *, is_all_previews_enabled: bool) -> None:
        pass
