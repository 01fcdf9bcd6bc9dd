"""The command ``sakd``: tables of names and of spots, and one line where something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from sakd import __version__
from sakd.command.listing import source
from sakd.command.main import command, main
from sakd.command.table import COMMANDS
from sakd.data import DATASETS
from sakd.distillers import DISTILLERS
from sakd.networks import NETWORKS
from sakd.objectives import OBJECTIVES
from sakd.routing import POLICIES

Capture = pytest.CaptureFixture[str]

PROJECT = Path(__file__).parents[3]


def lines(capsys: Capture, *command: str) -> list[str]:
    assert main(command) == 0
    return capsys.readouterr().out.splitlines()


def listing(capsys: Capture, what: str) -> dict[str, str]:
    """The lines of a table by the name that they are of."""
    return {line.split()[0]: line for line in lines(capsys, "list", what)[:-2]}


@pytest.mark.parametrize(
    ("what", "table"),
    [
        ("distillers", DISTILLERS),
        ("networks", NETWORKS),
        ("policies", POLICIES),
        ("objectives", OBJECTIVES),
        ("datasets", DATASETS),
    ],
)
def test_every_item_of_a_table_is_listed_in_its_order(
    what: str, table: dict[str, object], capsys: Capture
) -> None:
    head, *items, _, others = lines(capsys, "list", what)
    assert head.split()[0] == "name"
    assert [line.split()[0] for line in items] == list(table)
    assert "package.module:" in others


def test_a_distiller_is_listed_with_spots_weights_options_and_paper(capsys: Capture) -> None:
    listed = listing(capsys, "distillers")
    for part in (
        "every stage",
        "1000",
        " 2 ",
        "Zagoruyko & Komodakis, ICLR 2017, arXiv:1612.03928",
    ):
        assert part in listed["at"]
    assert "temperature=4.0" in listed["kd"]
    assert "maps, equal channels" in listed["fsp"]
    assert "  choices  " in listed["sp"]
    assert "choices" not in listed["kd"]


def test_a_dataset_is_listed_with_its_options(capsys: Capture) -> None:
    listed = listing(capsys, "datasets")
    assert "size=None, background=None, nested=False, labels=None" in listed["folder"]
    assert "statistics=None" in listed["cifar10"]
    assert "size" not in listed["digits"]


def test_a_policy_is_listed_with_what_it_sees_and_gives_and_its_paper(capsys: Capture) -> None:
    listed = {name: " ".join(line.split()) for name, line in listing(capsys, "policies").items()}
    for start in (
        "adaptive training images embeddings choice temperature=5.0 ",
        "heldout images set aside embeddings choice temperature=5.0 ",
        "conditional - logits choice keep_labels=False ",
        "always - - choice - ",
    ):
        assert listed[start.partition(" ")[0]].startswith(start)
    assert listed["conditional"].endswith("Meng et al., 2019, arXiv:1904.12399")


def test_an_objective_is_listed_with_its_teacher_options_and_paper(capsys: Capture) -> None:
    listed = {name: " ".join(line.split()) for name, line in listing(capsys, "objectives").items()}
    assert listed["supervised"].startswith("supervised - - ")
    assert listed["joint"].startswith("joint learns - ")
    settings = "share=0.75, turn=0.5, slope=10.0, score=entropy"
    assert listed["unix"].startswith(f"unix frozen {settings} ")
    assert listed["unix"].endswith("Xu et al., 2020, arXiv:2012.09413")


def test_a_network_is_listed_with_family_stages_and_size(capsys: Capture) -> None:
    assert " ".join(listing(capsys, "networks")["resnet8"].split()) == (
        "resnet8 resnet stem stage1 stage2 stage3 embedding head 78,042 "
        "He et al., CVPR 2016, arXiv:1512.03385"
    )


@pytest.mark.parametrize("name", [*DISTILLERS, "digits", "cifar10", "cifar100"])
def test_distillers_and_published_datasets_name_their_source(name: str) -> None:
    named = source({**DISTILLERS, **DATASETS}[name])
    assert any(year in named for year in ("19", "20"))


def test_the_spots_of_a_network_are_shown_with_their_shapes(capsys: Capture) -> None:
    shown = lines(capsys, "spots", "torchvision:resnet18", "--input", "3x224x224", "--classes", "7")
    head, _, *stages = [line.split("  ") for line in shown]
    assert head == ["torchvision:resnet18: resnet, 11,180,103 parameters"]
    cells = [tuple(cell.strip() for cell in line if cell) for line in stages]
    assert cells == [
        ("stem", "relu", "64x112x112", "every map"),
        ("stage1", "layer1.1.relu#2", "64x56x56", "every stage, every map"),
        ("stage2", "layer2.1.relu#2", "128x28x28", "every stage, every map, hint"),
        ("stage3", "layer3.1.relu#2", "256x14x14", "every stage, every map"),
        ("stage4", "layer4.1.relu#2", "512x7x7", "every stage, every map, last map"),
        ("embedding", "flatten", "512", "embedding"),
        ("head", "fc", "7", "logits"),
    ]


def test_a_network_of_the_zoo_has_spots_too(capsys: Capture) -> None:
    shown = lines(capsys, "spots", "resnet8", "--input", "1x8x8")
    assert shown[4].split() == ["stage2", "-", "32x4x4", "every", "stage,", "every", "map,", "hint"]


def test_a_network_that_needs_numbers_to_be_made_is_shown(capsys: Capture) -> None:
    assert len(lines(capsys, "spots", "torchvision:regnet_y_400mf", "--input", "3x64x64")) == 9


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("list distilers", "unknown list 'distilers'; did you mean 'distillers'"),
        ("spots resnet9", "unknown network 'resnet9'; did you mean"),
        ("spots torchvision:resnet19", "did you mean 'resnet18'"),
        ("spots resnet8 --input 3x224", "'3x224' is not a size; write CxHxW"),
        ("spots resnet8 --classes 0", "'0' is not a number of classes"),
        ("spots torchvision:vit_b_32 --input 3x64x64", "Expected 224 but got 64"),
        ("spots vgg8 --input 3x1x1", "the network cannot take images of 3x1x1"),
        ("spots resnet8 --env smoke", "unrecognized arguments: --env smoke"),
        ("list", "the following arguments are required: what; see sakd list --help"),
        ("lst distillers", "unknown command 'lst'; did you mean 'list'"),
        ("--verson", "unknown command '--verson'"),
    ],
)
def test_a_wrong_command_is_reported_in_one_line_with_a_status(
    command: str, complaint: str, capsys: Capture
) -> None:
    assert main(command.split()) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("sakd: ")
    assert written.err.count("\n") == 1
    assert complaint in written.err


@pytest.mark.parametrize(
    ("raised", "status", "shown"),
    [
        (IsADirectoryError(21, "Is a directory", "out"), 1, "sakd: out: Is a directory; name ano"),
        (OSError("out cannot be written:\ndisk"), 1, "sakd: out cannot be written: disk\n"),
        (KeyboardInterrupt(), 130, "sakd: stopped by Ctrl-C\n"),
    ],
    ids=["named", "words", "interrupt"],
)
def test_what_stops_a_command_is_one_line_with_a_status(
    raised: BaseException,
    status: int,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    def stop(_arguments: object) -> None:
        raise raised

    monkeypatch.setattr(import_module("sakd.command.list"), "run", stop)
    assert main(["list", "distillers"]) == status
    written = capsys.readouterr().err
    assert written.startswith(shown)
    assert written.count("\n") == 1


def test_a_reader_that_has_gone_is_no_error() -> None:
    code = "import sys; from sakd.command.main import main; sys.exit(main(['--version']))"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_the_command_is_installed_under_its_name() -> None:
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["sakd"].partition(":")
    assert getattr(import_module(module), function) is main


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_bare_command_and_help_list_every_command(
    arguments: list[str], capsys: Capture
) -> None:
    shown = lines(capsys, *arguments)
    assert [line.split()[0] for line in shown if line.startswith("  ")] == list(COMMANDS)
    assert max(map(len, shown)) <= 80


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    assert lines(capsys, "--version") == [f"sakd {__version__}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_that_runs(name: str) -> None:
    assert callable(command(name).run)


def test_help_waits_for_no_large_package() -> None:
    code = "import sys; from sakd.command.main import main; main(['--help']); print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    imported = {name.partition(".")[0] for name in shown.splitlines()[-1].split()}
    assert "sakd" in imported
    assert not imported & {"torch", "numpy", "pandas", "kedro", "pydantic", "rich", "click"}
