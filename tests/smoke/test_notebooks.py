"""The notebooks run from top to bottom, and are stored without outputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
RUN = """
import json, sys
names = {}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
print(json.dumps(names["outcome"]))
"""


def test_notebooks_hold_no_outputs():
    assert len(NOTEBOOKS) > 3
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs"), (path.name, cell["id"])
            assert cell.get("execution_count") is None, (path.name, cell["id"])


def outcome(project, name: str) -> dict:
    done = project.python("-c", RUN, str(FOLDER / f"{name}.ipynb"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_quickstart_distils(fresh):
    found = outcome(fresh, "01_quickstart")
    assert found["student with RKD"] > 0.8
    assert found["teacher"] > 0.8


def test_a_policy_chooses_among_images(fresh):
    found = outcome(fresh, "02_policy")
    assert found["adaptive"]["stage1"][0] < 1  # under a teacher that makes mistakes
    assert len(found["conditional"]["stage1"]) == 12


@pytest.fixture
def own(copy_project):
    return copy_project()


def test_own_images_and_network_end_in_an_exported_student(own):
    found = outcome(own, "03_own_images")
    assert {"model.onnx", "labels.txt", "README.md", "example_onnx.py"} <= set(found["files"])
    assert found["answers"] == found["pictures"]
