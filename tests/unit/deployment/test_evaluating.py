"""A folder of labelled pictures is measured as the project measures its splits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sakd.command.main import main
from sakd.data import ImageSet, Prepared, Splits
from sakd.deployment import load
from sakd.deployment.evaluating import evaluate
from sakd.deployment.finding import find
from sakd.deployment.loading import load_found
from sakd.deployment.measured import measured
from sakd.foundation.errors import UserError
from sakd.measures import predict, quality, robustness
from sakd.measures.names import teacher_id
from sakd.study.evaluations import Evaluation
from sakd.study.store import CellStore
from sakd.tasks import CLASSIFICATION
from sakd.weights.saved import load_weights


def joined(splits: Splits) -> ImageSet:
    images = torch.cat([part.images for part in splits.parts.values()])
    return ImageSet(images, torch.cat([part.labels for part in splits.parts.values()]))


def test_the_measures_are_those_of_the_same_images_prepared(
    pets: tuple[Path, Splits], save_model: Callable[..., Path]
) -> None:
    place, splits = pets
    model = load(save_model(splits.card))
    whole = Prepared(joined(splits), splits.card)
    answers = predict(CLASSIFICATION, model.network, whole, corrupt=True)
    expected = answers.measures | quality(answers, 2.0) | robustness(answers)
    found = evaluate(model, place, 2.0)
    assert found.images == len(whole.images)
    # The corruption by noise depends on the order of the images.
    names = {name for name in expected if name not in ("corrupted", "corrupted_noise")}
    assert {n: found.measures[n] for n in names} == pytest.approx({n: expected[n] for n in names})
    assert found.measures.keys() == expected.keys()
    assert evaluate(model, place).measures.keys() == expected.keys() - {"ece_scaled"}


def test_the_command_prints_and_writes_the_measures(
    pets: tuple[Path, Splits],
    save_model: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, file = save_model(pets[1].card, measures={"temperature": 1.5}), tmp_path / "found.json"
    assert main(["evaluate", str(model), "--data", str(pets[0]), "--output", str(file)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    written = json.loads(file.read_text())
    assert head.split() == ["measure", "of", f"{written.pop('images')}", "images"]
    assert [line.split() for line in lines] == [[n, f"{v:.4f}"] for n, v in written.items()]
    assert "ece_scaled" in written


def test_a_file_of_measures_that_cannot_be_written_is_named_before_images_are_read(
    pets: tuple[Path, Splits],
    save_model: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--data", str(tmp_path / "nowhere"), "--output", str(tmp_path)]
    assert main(["evaluate", str(save_model(pets[1].card)), *given]) == 1
    assert capsys.readouterr().err.startswith(f"sakd: {tmp_path}: Is a directory")


def test_a_folder_that_is_not_of_the_model_is_one_line(
    pets: tuple[Path, Splits], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = load(save_model(pets[1].card))
    place = Path(shutil.copytree(pets[0], tmp_path / "pets"))
    (place / "ant").rename(place / "wasp")
    with pytest.raises(UserError, match="does not know: wasp; known: ant, bee; rename"):
        evaluate(model, place)
    shutil.rmtree(place / "wasp")
    assert 0 < evaluate(model, place).images < 20
    (place / "bee" / "notes.txt").write_text("seen on Monday")
    with pytest.raises(UserError, match=r"1 of 14 images cannot be used: .*notes.txt .*remove"):
        evaluate(model, place)
    with pytest.raises(UserError, match=r"no folders in .*bee; allowed"):
        evaluate(model, place / "bee")
    with pytest.raises(UserError, match=r"no folder .*none; allowed"):
        evaluate(model, place / "none")
    (tmp_path / "split" / "train" / "ant").mkdir(parents=True)
    with pytest.raises(UserError, match=r"train has no images; allowed"):
        evaluate(model, tmp_path / "split" / "train")
    (tmp_path / "split" / "test" / "ant").mkdir(parents=True)
    with pytest.raises(UserError, match=r"has splits: train, test; name"):
        evaluate(model, tmp_path / "split")


def test_the_measures_of_the_study_are_found_by_training_and_epoch(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    store = Path(shutil.copytree(trained[0], tmp_path / "06_models"))
    found = find(trained[1], store)
    model, record = load_found(found), found.record
    assert record is not None
    assert measured(found, model) == {}
    measures = {"test_top1": 0.5, "test_top1_val_selected": 0.6, "test_top1_best": 0.7}
    evaluations = CellStore(store / "toys" / "cells").evaluations
    evaluations.save(record.id, f"{record.key} and more", Evaluation(measures))
    assert measured(found, model) == {"test_top1": 0.5}
    best = find(trained[1], store, "best")
    assert measured(best, load_found(best)) == {"test_top1": 0.6}


def test_the_measures_of_a_teacher_are_found_by_its_weights(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    cells = CellStore(tmp_path / "toys" / "cells")
    (folder,) = trained[0].glob(f"toys/cells/*/{trained[1]}/*/")
    shutil.copytree(folder, cells.root / "teachers" / "toys-resnet8-teacher-s0" / folder.name)
    found = find("toys-resnet8-teacher-s0", tmp_path)
    key = load_weights(found.path).sha256()
    cells.evaluations.save(
        teacher_id("toys", "resnet8"), f"{key} None", Evaluation({"test_top1": 1})
    )
    assert measured(found, load_found(found)) == {"test_top1": 1}
