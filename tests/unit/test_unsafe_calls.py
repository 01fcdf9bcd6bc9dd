"""No call in the code can run what a file holds: no unpickling, no evaluation, no shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted(path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py"))

UNSAFE = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all",
    "pd.read_pickle", "pandas.read_pickle", "torch.hub.load", "torch.jit.load",
    "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
"""Functions that run code, or a shell, by their names in calls."""

MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
"""Modules that unpickle; of them nothing but the name of their error may be taken."""

SWITCHES = {"shell": True, "allow_pickle": True, "weights_only": False}
"""Arguments that must not have these values."""


def unsafe(source: str) -> Iterator[str]:
    """Yield the calls and imports in ``source`` that can run what a file holds."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=function, keywords=keywords):
                name = ast.unparse(function)
                given = {word.arg: word.value for word in keywords}
                if name in UNSAFE or name.partition(".")[0] in MODULES:
                    yield name
                if name == "torch.load" and not _is(given.get("weights_only"), True):
                    yield f"{name} without weights_only=True"
                for switch, value in SWITCHES.items():
                    if switch in given and not _is(given[switch], not value):
                        yield f"{name} with {switch}"
            case ast.ImportFrom(module=str(module), names=names) if module in MODULES:
                yield from (
                    n.name for n in names if n.name not in {"UnpicklingError", "PickleError"}
                )
            case _:
                pass


IMPORTING = {
    "src/sakd/foundation/extras.py",  # optional packages, by names in the code
    "src/sakd/foundation/imports.py",  # networks and the like, by names in the parameters
}
"""Files that import a module whose name they are given."""


def imports_by_name(source: str) -> bool:
    """Tell whether ``source`` imports modules whose names are not written there."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [call.args[0] for call in calls if ast.unparse(call.func).endswith("import_module")]
    return any(isinstance(name, ast.Name | ast.Attribute | ast.Subscript) for name in named)


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_the_project_has_none() -> None:
    assert len(CODE) > 300
    found = {str(p.relative_to(ROOT)): list(unsafe(p.read_text(encoding="utf-8"))) for p in CODE}
    assert {path: calls for path, calls in found.items() if calls} == {}


def test_modules_are_imported_by_given_names_in_few_places() -> None:
    found = {str(p.relative_to(ROOT)) for p in CODE if imports_by_name(p.read_text("utf-8"))}
    assert found == IMPORTING


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
    ],
)
def test_what_is_safe_is_not(source: str) -> None:
    assert not list(unsafe(source))
