"""An exported folder answers without this project as the network does, and says what it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sakd.command.main import main
from sakd.data import Splits, SplitStore
from sakd.deployment import load
from sakd.deployment.card import ModelCard, rendered
from sakd.deployment.export_options import Export
from sakd.deployment.exporting import export
from sakd.deployment.finding import find
from sakd.deployment.loading import load_found
from sakd.deployment.parity import largest_difference
from sakd.deployment.pictures import pictures
from sakd.deployment.predicting import predict
from sakd.deployment.programs import pixels_of, traced, write_onnx
from sakd.deployment.running import onnx_logits
from sakd.foundation.errors import UserError
from sakd.foundation.files import write_json

ROOT = Path(__file__).parents[3]
Capture = pytest.CaptureFixture[str]

ALONE = """
import runpy, sys
sys.modules["sakd"] = None
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script where this project cannot be imported."""


class Uncommon(nn.Module):
    """Has an operation that ONNX has not."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.special.bessel_j0(self.scale * x).mean(dim=(2, 3))


class Branching(Uncommon):
    """Takes a way that depends on its images."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3)) if x.sum() > 0 else x.amax(dim=(2, 3))


@pytest.fixture(scope="session")
def exported(
    pets: tuple[Path, Splits],
    save_model: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of a model of colour pictures, with both programs."""
    folder = tmp_path_factory.mktemp("exports") / "pets"
    found = find(
        save_model(pets[1].card, measures={"test_top1": 0.75}, facts={"policy": "adaptive"})
    )
    export(found, load_found(found), folder, Export(license="mit"))
    return folder


@pytest.mark.parametrize("example", ["example_onnx.py", "example_torch.py"])
def test_the_examples_answer_like_the_project_and_without_it(
    example: str, exported: Path, pets: tuple[Path, Splits]
) -> None:
    paths = pictures([str(pets[0])])
    command = [sys.executable, "-I", "-c", ALONE, str(exported / example), *map(str, paths)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answers = predict(load(exported), paths)
    lines = [line.split("\t") for line in printed.splitlines()]
    assert [file for file, _, _ in lines] == [str(path) for path in paths]
    for (_, name, chance), expected in zip(lines, answers.chances, strict=True):
        assert name == ("ant", "bee")[int(expected.argmax())]
        assert float(chance) == pytest.approx(float(expected.max()), abs=1e-3)


def test_the_folder_can_be_loaded_and_exported_again(exported: Path, tmp_path: Path) -> None:
    model, found = load(exported), find(exported)
    assert model.classes == ("ant", "bee")
    assert (exported / "labels.txt").read_text().split() == ["ant", "bee"]
    for _ in range(2):
        export(found, model, tmp_path / "again", Export(formats=()))
        (tmp_path / "again" / "__pycache__").mkdir()
    again = load(tmp_path / "again")
    assert again.weights.sha256() == model.weights.sha256()
    assert again.weights.card["id"] == model.weights.card["id"] == "pets"
    left_out = {"model.onnx", "model.pt2", "example_onnx.py", "example_torch.py"}
    assert left_out & {path.name for path in (tmp_path / "again").iterdir()} == set()
    file = tmp_path / "again" / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(file).items()}, file)
    with pytest.raises(UserError, match=r"tensors are not those of model.json.*export it again"):
        load(tmp_path / "again")


def test_the_card_has_metadata_and_says_what_is_known(exported: Path) -> None:
    _, head, page = (exported / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["license"] == "mit"
    assert metadata["library_name"] == "sakd"
    assert {"onnx", "safetensors", "spot-adaptive"} < set(metadata["tags"])
    (results,) = metadata["model-index"][0]["results"]
    assert results["metrics"] == [{"type": "accuracy", "value": 0.75}]
    (images,) = [line for line in page.splitlines() if line.startswith("| accuracy on test |")]
    assert "75.00 %" in images
    assert re.search(r"largest difference of a logit .*e-\d\d, of logits up to \d", page)
    for path in exported.glob("*.*"):
        assert f"| `{path.name}` |" in page


@pytest.mark.parametrize(
    ("facts", "said", "taught"),
    [
        (
            {"facts": {"teacher": "big", "distiller": "kd", "policy": "always"}},
            "teacher `big`",
            True,
        ),
        ({"facts": {"teacher": "big", "distiller": "none"}}, "on labels alone", False),
        (
            {"facts": {"teacher": "big", "distiller": "dml", "settings": {}}},
            "trained by `dml`, without a teacher",
            False,
        ),
        ({"imported_from": "big.pth"}, "finished weights of `big.pth`", False),
    ],
)
def test_the_card_claims_a_teacher_only_where_one_taught(
    facts: dict[str, Any], said: str, taught: bool, splits: Splits
) -> None:
    described, sizes = {"network": "small", **facts}, {"parameters": 9, "macs": 9}
    card = ModelCard("toys", described, splits.card, {}, sizes, Export(formats=()), (), {})
    assert said in card.what
    assert ("teacher" in card.facts) is taught
    assert card.accuracy is None
    page = rendered("README.md", card=card, files={}, commands=[])
    assert "It has not been measured on test images." in page
    assert "model-index" not in page


def test_no_file_tells_where_it_was_made(exported: Path) -> None:
    files = list(exported.glob("*.*"))
    assert files
    for path in files:
        for place in (ROOT, Path(torch.__file__).parent, exported.parent):
            assert str(place).encode() not in path.read_bytes(), path.name


def test_programs_can_normalise_by_themselves(
    splits: Splits, save_model: Callable[..., Path], tmp_path: Path
) -> None:
    found = find(save_model(splits.card))
    model = load_found(found)
    export(found, model, tmp_path / "toys", Export(formats=("onnx",), inside=True))
    card = json.loads((tmp_path / "toys" / "preprocessing.json").read_text())
    assert card["input"] == "pixels"
    names: dict[str, Any] = {}
    exec((tmp_path / "toys" / "preprocessing.py").read_text(), names)
    picture = Image.fromarray(pixels_of(model, 1)[0, :, :, 0].numpy())
    pixels = names["preprocess"](picture, card)
    assert (pixels.shape, pixels.dtype) == ((8, 8, 1), np.uint8)
    logits = onnx_logits(tmp_path / "toys" / "model.onnx", [pixels[None]])
    with torch.no_grad():
        expected = model(model.preprocess(picture)[None])
    torch.testing.assert_close(torch.from_numpy(logits), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "other"), [("model.onnx", "--formats pt2"), ("model.pt2", "--formats onnx")]
)
@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_a_program_that_answers_otherwise_is_refused(
    name: str, other: str, factor: float, exported: Path
) -> None:
    model = load(exported)
    found = largest_difference(model, exported / name, inside=False)
    assert found.difference < 1e-4 < found.logit
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.mul_(factor)
    with pytest.raises(UserError, match=f"{name} differs from .* in a logit.*{other}"):
        largest_difference(model, exported / name, inside=False)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_eight_bits_are_measured_on_the_validation_images(
    kind: str, trained: tuple[Path, str], splits: Splits, tmp_path: Path, capsys: Capture
) -> None:
    store, cell = trained
    given = ["export", cell, "--store", str(store), "--formats", "onnx", "--int8", kind]
    target = ["--to", str(tmp_path / "small")]
    assert main([*given, *target, "--primary", str(tmp_path)]) == 1
    assert "--pipelines data_preparation" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()
    SplitStore(store.parent / "03_primary" / "toys").write(splits)
    write_json(store.parent / "03_primary" / "toys" / "card.json", splits.card.to_json())
    assert main([*given, *target]) == 0
    *_, line, _ = capsys.readouterr().out.splitlines()
    assert line.startswith(f"model.int8.onnx ({kind}): of {len(splits.val)} validation images")
    sizes = [(tmp_path / "small" / f"model{end}.onnx").stat().st_size for end in (".int8", "")]
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize(
    ("network", "complaint"),
    [
        (Uncommon(), "mine cannot be expressed in ONNX .*bessel_j0.*--formats pt2"),
        (Branching(), "mine cannot be traced by torch.export .*--formats none"),
    ],
)
def test_what_a_program_cannot_express_is_one_line_with_the_way_out(
    network: nn.Module,
    complaint: str,
    pets: tuple[Path, Splits],
    save_model: Callable[..., Path],
    tmp_path: Path,
    capsys: Capture,
) -> None:
    model = load(save_model(pets[1].card))
    model.network, model.name = network, "mine"
    with pytest.raises(UserError, match=complaint) as raised:
        write_onnx(traced(model, inside=False), tmp_path / "model.onnx", "mine", inside=False)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"formats": ("onx",)}, "unknown format 'onx'; known: onnx, pt2"),
        ({"license": "My Own"}, "'My Own' is no licence of the Hub"),
        ({"formats": ("pt2",), "int8": "static"}, "int8 is a program in ONNX: add onnx"),
    ],
)
def test_wrong_options_are_one_line(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Export(**options)


def test_missing_packages_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sakd.foundation.extras.find_spec", {}.get)
    with pytest.raises(UserError, match=r'onnx, onnxruntime, onnxscript .*"sakd\[export\]"'):
        Export()
    Export(formats=("pt2",))


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_place_without_a_name_of_its_own_is_not_replaced(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cannot be replaced: .*--to"):
        export(find(exported), load(exported), Path(place), Export(formats=()))


def test_a_folder_with_other_things_is_left_alone(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"holds other things .*--to"):
        export(find(exported), load(exported), tmp_path, Export(formats=()))
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_without_a_store_needs_a_folder_to_be_exported_to(
    exported: Path, capsys: Capture
) -> None:
    assert main(["export", str(exported), "--formats", "none"]) == 1
    assert "name a folder by --to" in capsys.readouterr().err


def test_the_page_on_preprocessing_shows_the_exported_function() -> None:
    page = (ROOT / "docs" / "preprocessing.md").read_text()
    assert rendered("preprocessing.py").partition("\n\n")[2] in page
