"""A loaded model answers as it was trained to; files name no code that is run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

import sakd
from sakd.data import Splits, evaluation_batches
from sakd.data.splits.restricted import card_of_classes
from sakd.deployment import Model, load
from sakd.deployment.finding import find
from sakd.deployment.measured import measured
from sakd.deployment.trust import trusted_name
from sakd.foundation.errors import UserError
from sakd.study.networks import fresh_network


def own_network(num_classes: int) -> nn.Module:
    """A network of the user's own."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.AvgPool2d(6), nn.Flatten(), nn.Linear(4, num_classes)
    )


OWN = f"{__name__}:own_network"


def test_a_cell_is_loaded_with_its_classes_and_answers_as_trained(
    trained: tuple[Path, str], splits: Splits
) -> None:
    model = load(trained[1], store=trained[0])
    assert model.classes == splits.card.classes
    assert not any(part.training for part in model.modules())
    network = fresh_network("resnet8", splits.card).eval()
    network.load_state_dict(dict(model.weights.state))
    card = splits.card
    (images, _), *_ = evaluation_batches(splits.test, card.mean, card.std, batch_size=12)
    assert torch.equal(model(images), network(images))
    assert torch.equal(model.normalise(splits.test.images), images)


def test_the_example_of_the_page_names_a_class_and_its_chance(
    trained: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, name = trained
    page = (Path(__file__).parents[3] / "docs" / "deployment.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sakd, "load", partial(load, store=store))
    Image.new("L", (9, 9)).save("seven.png")
    names: dict[str, torch.Tensor] = {}
    exec(re.sub(r'"digits-[^"]*"', repr(name), example), names)
    shown, chance = capsys.readouterr().out.split()
    assert shown in load(name, store=store).classes
    assert 0 < float(chance) <= 1
    assert not names["chances"].requires_grad  # or torch warns of turning it into a number


@pytest.mark.parametrize("opened", [False, True])
def test_pictures_of_all_kinds_are_prepared_as_by_the_project(
    opened: bool, pets: tuple[Path, Splits], save_model: Callable[..., Path]
) -> None:
    place, splits = pets
    model = sakd.load(save_model(splits.card))
    known = {
        model.normalise(image[None])[0].numpy().tobytes()
        for part in splits.parts.values()
        for image in part.images
    }
    files = [path for path in place.rglob("*.*") if path.is_file()]
    assert files
    for path in files:
        with Image.open(path) as picture:
            image = model.preprocess(picture if opened else path)
        assert image.shape == splits.card.image_shape
        assert image.numpy().tobytes() in known, path


def test_a_picture_that_cannot_be_used_is_one_line(
    pets: tuple[Path, Splits], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = load(save_model(pets[1].card))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken.png \(cannot identify.*replace"):
        model.preprocess(tmp_path / "broken.png")
    with pytest.raises(UserError, match="floating-point pixels"):
        model.preprocess(Image.new("F", (9, 9)))


def test_damaged_files_are_one_line_with_the_remedy(
    splits: Splits, save_model: Callable[..., Path], edit_card: Callable[..., None]
) -> None:
    path = save_model(splits.card)
    edit_card(path, network=None)
    with pytest.raises(UserError, match=r"json is damaged \(no 'network'\)"):
        load(path)
    edit_card(path, sha256="0")
    with pytest.raises(UserError, match=r"tensors are not those of finished\.json.*train again"):
        load(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"is damaged.*train again"):
        load(path)
    path.with_suffix(".json").unlink()
    save_file(load_file(save_model(splits.card)), path)
    with pytest.raises(UserError, match=r"no card at .*json: put .*finished.safetensors there"):
        load(path)
    path.unlink()
    with pytest.raises(UserError, match=r"no weights at .*safetensors: train again"):
        load(path)


@pytest.mark.parametrize("measures", [3, ["test_top1"], {"test_top1": "high"}])
def test_measures_that_are_no_numbers_are_refused(
    splits: Splits, save_model: Callable[..., Path], measures: object
) -> None:
    path = save_model(splits.card, measures=measures)
    with pytest.raises(UserError, match=r"measures of .*finished\.json takes names with float"):
        measured(find(path), load(path))


def test_weights_of_other_classes_do_not_fit(
    splits: Splits, save_model: Callable[..., Path], edit_card: Callable[..., None]
) -> None:
    path = save_model(splits.card)
    edit_card(path, data=card_of_classes(splits.card, ["ant", "bee"]).to_json())
    with pytest.raises(UserError, match=r"does not fit 'resnet8'.*of another shape"):
        load(path)


def test_code_that_a_file_names_is_run_only_if_the_caller_names_it_too(
    splits: Splits, save_model: Callable[..., Path]
) -> None:
    path = save_model(splits.card, OWN)
    with pytest.raises(UserError, match=f"{OWN}.*if you trust it, name it too: --network"):
        load(path)
    assert isinstance(load(path, network=OWN), Model)
    with pytest.raises(UserError, match="the parameters name 'resnet8'"):
        load(path, network="resnet8")


@pytest.mark.parametrize(
    ("name", "trusted"),
    [
        ("resnet8", True),
        ("resnet8@torchvision:resnet18", True),
        ("timm:resnet18", True),
        ("torchvision:vit_b_16(image_size=64; dropout=0.1)", True),
        ("torchvision:resnet18(weights='DEFAULT')", False),
        ("resnet8@timm:resnet18(pretrained=true)", False),
        ("os:system", False),
        ("resnet8@os:system", False),
    ],
)
def test_names_that_run_code_or_fetch_weights_are_not_taken_from_files(
    name: str, trusted: bool
) -> None:
    assert trusted_name(name, name, "a file") == name
    if trusted:
        assert trusted_name(name, None, "a file") == name
    else:
        with pytest.raises(UserError, match="name it too: --network"):
            trusted_name(name, None, "a file")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("sakd", {"torch", "numpy"}), ("sakd.deployment", {"torchvision", "pandas", "kedro"})],
)
def test_importing_waits_for_nothing_heavy(module: str, heavy: set[str]) -> None:
    code = "import sys, sakd, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"
    words = [sys.executable, "-c", code, module]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert module in found
    assert not heavy & set(found)
