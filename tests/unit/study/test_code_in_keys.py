"""The code of a network is part of the keys of the trainings that use it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from sakd.foundation.errors import UserError
from sakd.networks.code import network_code, network_files
from sakd.objectives.parameters import Distillation, Routing
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.recipe import Recipe
from sakd.study.trainings import cell_training, teacher_training
from sakd.weights.saved import Weights

CODE = """
from sakd.networks.zoo.resnet import resnet

def tiny(num_classes, in_channels):
    return resnet(num_classes, in_channels, depth=8, widths=(2, 2, 3, 4))
"""
NETWORK = "keyed_nets:tiny"
Key = Callable[..., str]
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write code into the module, as if a new run had found it there."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(code: str) -> None:
        (tmp_path / "keyed_nets.py").write_text(code)
        monkeypatch.delitem(sys.modules, "keyed_nets", raising=False)
        importlib.invalidate_caches()

    put(CODE)
    return put


@pytest.fixture
def key(make_cell: Callable[..., Cell], lessons: Lessons, teacher: Weights) -> Key:
    """Give the key of a cell with these networks."""

    def of(distiller: str = "kd", policy: str = "always", **networks: str) -> str:
        cell = replace(make_cell(distiller, policy), **networks)
        given = {"distillation": Distillation(), "routing": Routing()}
        return cell_training(cell, teacher, lessons, Recipe(), **given).key

    return of


def test_changed_code_changes_the_keys_of_students_and_teachers_made_by_it(
    write: Write, key: Key, lessons: Lessons
) -> None:
    def keys() -> list[str]:
        taught = teacher_training(NETWORK, 0, lessons, Recipe()).key
        alone = key("none", "none", student=NETWORK)
        return [taught, alone, key(student=NETWORK), key(teacher=NETWORK)]

    def others() -> list[str]:
        return [key(), key("none", "none", teacher=NETWORK)]

    before, untouched = keys(), others()
    assert keys() == before
    write(CODE + "\n# another thought\n")
    assert keys() == before
    write(CODE.replace("8", "14"))
    assert not set(keys()) & set(before)
    assert others() == untouched
    write(CODE)
    assert keys() == before


def test_a_function_of_another_module_counts_with_that_module(write: Write) -> None:
    write(
        "from functools import partial\nfrom sakd.networks.zoo.resnet import resnet\n"
        "small = partial(partial(resnet, depth=8), widths=(2, 2, 3, 4))\n"
    )
    for name in ("keyed_nets:resnet(depth=8)", "keyed_nets:small"):
        assert {"keyed_nets", "sakd.networks.zoo.resnet"} <= network_code(name).keys()
        assert {"keyed_nets.py", "resnet.py"} <= {file.name for file in network_files(name)}


def test_code_that_is_not_there_has_no_key(write: Write) -> None:
    write(CODE)
    with pytest.raises(UserError, match="keyed_nets 'tinny'; did you mean 'tiny'"):
        network_code("keyed_nets:tinny")


def test_code_counts_wherever_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = set()
    for folders in ("ab", "ba"):
        here, there = (tmp_path / folders / folder for folder in folders)
        for folder, module, code in ((here, "one", "from two import net"), (there, "two", CODE)):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{module}.py").write_text(code.replace("tiny", "net"))
            monkeypatch.syspath_prepend(folder)
            monkeypatch.delitem(sys.modules, module, raising=False)
        codes.add(str(network_code("one:net")))
    assert len(codes) == 1


def test_networks_of_libraries_count_with_their_version() -> None:
    expected = {"torchvision": version("torchvision").partition("+")[0]}
    assert network_code("torchvision:resnet18(small_images=true)") == expected
    assert network_code("torchvision.models:resnet18") == expected
    assert network_files("torchvision:resnet18") == network_files("resnet8") == ()
    assert "sakd.networks.zoo.resnet" in network_code("resnet8")
