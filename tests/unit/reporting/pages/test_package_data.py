"""Files of the package that are not modules."""

from __future__ import annotations

from pathlib import Path

from setuptools import Distribution

ROOT = Path(__file__).parents[4]


def test_a_wheel_has_every_file_of_the_package(monkeypatch):
    monkeypatch.chdir(ROOT)
    project = Distribution()
    project.parse_config_files(["pyproject.toml"])
    project.include_package_data = False  # count no manifest, which writes into the tree
    built = project.get_command_obj("build_py")
    built.ensure_finalized()
    shipped = {f"{folder}/{name}" for _, folder, _, names in built.data_files for name in names}
    others = (path for path in Path("src").rglob("*") if path.is_file())
    expected = {str(path) for path in others if path.suffix not in (".py", ".pyc")}
    assert "src/sakd/reporting/pages/templates/report.html.j2" in expected
    assert expected <= shipped
