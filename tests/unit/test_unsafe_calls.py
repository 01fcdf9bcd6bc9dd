"""No call in the code can run what a file holds: no unpickling, no evaluation, no shell."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILES = [*CODE, *NOTEBOOKS]

UNSAFE = {
    "eval", "exec", "compile", "__import__", "pd.eval", "pandas.eval", "code.interact",
    "os.system", "os.popen", "os.startfile", "pty.spawn",
    "subprocess.getoutput", "subprocess.getstatusoutput",
    "runpy.run_path", "runpy.run_module", "importlib.util.spec_from_file_location",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "yaml.unsafe_load_all",
    "pd.read_pickle", "pandas.read_pickle", "torch.hub.load", "torch.jit.load",
    "torch.utils.cpp_extension.load", "torch.package.PackageImporter", "logging.config.listen",
}  # fmt: skip
"""Functions that run code, or a shell, by their names in calls."""

MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
"""Modules that unpickle; of them nothing but the name of their error may be taken."""

SWITCHES = {"shell": True, "allow_pickle": True, "weights_only": False}
"""Arguments that must not have these values."""

NEEDED = {"torch.load": ("weights_only", True), "extractall": ("filter", "data")}
"""Arguments that must be there, by the ends of the names of functions."""

FETCHING = {"urlopen", "urlretrieve", "download_url_to_file", "load_state_dict_from_url"}
UNPACKING = {"unpack_archive"}
DOWNLOAD = "src/sakd/data/sources/download.py"
"""The one file that fetches and unpacks, after it has compared checksums."""


parsed = cache(ast.parse)


@cache
def source_of(path: Path) -> str:
    """The code of a module, or of the cells of a notebook."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    lines = (line for cell in cells for line in "".join(cell).splitlines())
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


def unsafe(source: str) -> Iterator[str]:
    """Yield the calls and imports in ``source`` that can run what a file holds."""
    for node in ast.walk(parsed(source)):
        match node:
            case ast.Call(func=function, keywords=keywords):
                given = {word.arg: word.value for word in keywords}
                yield from _unsafe_call(ast.unparse(function), given)
            case ast.ImportFrom(module=str(module), names=names):
                fine = {"UnpicklingError", "PickleError"} if module in MODULES else None
                full = [f"{module}.{n.name}" for n in names if fine is None or n.name not in fine]
                yield from (name for name in full if fine is not None or name in UNSAFE)
            case ast.Attribute(attr="Loader" | "FullLoader" | "UnsafeLoader"):
                yield ast.unparse(node)
            case _:
                pass


def _unsafe_call(name: str, given: dict[str | None, ast.expr]) -> Iterator[str]:
    if name in UNSAFE or name.partition(".")[0] in MODULES:
        yield name
    for end, (word, value) in NEEDED.items():
        if f".{name}".endswith(f".{end}") and not _is(given.get(word), value):
            yield f"{name} without {word}={value}"
    for switch, value in SWITCHES.items():
        if switch in given and not _is(given[switch], not value):
            yield f"{name} with {switch}"


def called(source: str) -> set[str]:
    """The last parts of the names of all functions that are called."""
    calls = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call)]
    return {ast.unparse(call.func).rpartition(".")[2] for call in calls}


IMPORTING = {
    "src/sakd/cli.py",  # a runner, by its name in the command
    "src/sakd/command/main.py",  # commands, by their names in a table
    "src/sakd/command/project.py",  # their modules, by names in the code
    "src/sakd/foundation/extras.py",  # optional packages, by names in the code
    "src/sakd/foundation/imports.py",  # networks and the like, by names in the parameters
}
"""Files that import a module whose name they are given."""


def imports_by_name(source: str) -> bool:
    """Tell whether ``source`` imports modules whose names are not written there."""
    calls = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call)]
    named = [call.args[0] for call in calls if _imports(ast.unparse(call.func))]
    return not all(map(_written, named))


def _imports(name: str) -> bool:
    return name.rpartition(".")[2] in {"import_module", "load_obj", "find_loader"}


def _written(name: ast.expr) -> bool:
    """Tell whether a name is text, perhaps after the package that it stands in."""
    if isinstance(name, ast.JoinedStr):
        parts = [part.value for part in name.values if isinstance(part, ast.FormattedValue)]
        return all(ast.unparse(part) in {"__package__", "__name__", "package"} for part in parts)
    return isinstance(name, ast.Constant)


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def test_the_project_has_none() -> None:
    assert len(CODE) > 300
    assert NOTEBOOKS
    found = {str(p.relative_to(ROOT)): list(unsafe(source_of(p))) for p in FILES}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_modules_are_imported_by_given_names_in_few_places() -> None:
    found = {str(p.relative_to(ROOT)) for p in FILES if imports_by_name(source_of(p))}
    assert found == IMPORTING


def test_one_file_fetches_and_unpacks() -> None:
    found = {p for p in FILES if called(source_of(p)) & (FETCHING | UNPACKING)}
    assert found == {ROOT / DOWNLOAD}


def test_no_configuration_names_types_of_python() -> None:
    files = sorted((ROOT / "conf").rglob("*.yml"))
    assert files
    assert not [str(path) for path in files if "!!python" in path.read_text("utf-8")]


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "import yaml\nyaml.load(text)",
        "import pickle\npickle.loads(content)",
        "from pickle import loads",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch\ntorch.load(path, weights_only=maybe)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import os\nos.system(command)",
        "import subprocess\nsubprocess.run(command, shell=True)",
        "from os import system",
        "from yaml import unsafe_load",
        "import yaml\nyaml.safe_load_all(text, Loader=yaml.Loader)",
        "import tarfile\ntarfile.open(path).extractall(folder)",
        "archive.extractall(folder, filter='fully_trusted')",
        "import runpy\nrunpy.run_path(path)",
    ],
)
def test_each_kind_is_found(source: str) -> None:
    assert list(unsafe(source))


@pytest.mark.parametrize(
    "source",
    [
        "network.eval()",
        "import re\nre.compile(text)",
        "from pickle import UnpicklingError",
        "import torch\ntorch.load(path, weights_only=True)",
        "import subprocess\nsubprocess.run(['git'], shell=False)",
        "archive.extractall(folder, filter='data')",
        "from os import path",
    ],
)
def test_what_is_safe_is_not(source: str) -> None:
    assert not list(unsafe(source))


@pytest.mark.parametrize(
    ("source", "by_name"),
    [
        ("import_module('sakd.data')", False),
        ("import_module(f'{__package__}.data')", False),
        ("import_module(name)", True),
        ("importlib.import_module(card['network'])", True),
        ("import_module(f'{__package__}.{name}')", True),
        ("load_obj(record.facts['kind'])", True),
    ],
)
def test_a_name_that_is_not_written_in_the_code_is_seen(source: str, by_name: bool) -> None:
    assert imports_by_name(source) is by_name
