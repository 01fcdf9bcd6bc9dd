"""Data are prepared once, and again when their source, their splitting or a file has changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro_datasets.json import JSONDataset
from safetensors.torch import save_file

from sakd.data import RawData
from sakd.data.parameters import DataParameters
from sakd.data.sources.digits import Digits
from sakd.foundation.errors import UserError
from sakd.pipelines.data_preparation.nodes import prepare_data
from sakd.project.datasets import SplitsDataset, SplitStoreDataset

DATA = DataParameters(val_fraction=0.2, test_fraction=0.2, train_size=100)


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    return DataCatalog(
        {
            "digits-splits": SplitStoreDataset(filepath=str(tmp_path)),
            "digits-development": SplitsDataset(filepath=str(tmp_path / "development")),
            "digits-test": SplitsDataset(filepath=str(tmp_path / "test")),
            "digits-card": JSONDataset(filepath=str(tmp_path / "card.json")),
        }
    )


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the raw images are read."""
    seen: list[str] = []
    load = Digits.load

    def watched(self: Digits) -> RawData:
        seen.append(self.name)
        return load(self)

    monkeypatch.setattr(Digits, "load", watched)
    return seen


@pytest.fixture
def run(catalog: DataCatalog) -> Callable[..., dict[str, Any]]:
    """Run the node as Kedro does, and return the card."""

    def go(data: DataParameters = DATA) -> dict[str, Any]:
        outputs = prepare_data(data, catalog.load("digits-splits"))
        for entry, content in zip(("development", "test", "card"), outputs, strict=True):
            catalog.save(f"digits-{entry}", content)
        card: dict[str, Any] = catalog.load("digits-card")
        return card

    return go


def test_the_second_run_reads_nothing_and_leaves_every_file(
    run: Any, reads: list[str], tmp_path: Path
) -> None:
    card = run()
    written = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    assert [path.stem for path in sorted(written)] == ["train", "val", "test"]
    assert run() == card
    assert reads == ["digits"]
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")} == written


def test_other_settings_prepare_again(run: Any, reads: list[str]) -> None:
    first = run()
    other = run(DataParameters(val_fraction=0.2, test_fraction=0.2, train_size=101))
    assert len(reads) == 2
    assert other["key"] != first["key"]
    assert sum(other["counts"]["train"]) == 101


def test_images_that_are_set_aside_come_and_go_with_their_parameter(
    run: Any, reads: list[str], catalog: DataCatalog
) -> None:
    apart = replace(DATA, set_aside=0.1)
    first = run(apart)
    assert run(apart) == first
    assert len(reads) == 1
    assert len(catalog.load("digits-development")["aside"]()["labels"]) == 10
    assert first["counts"].keys() - run()["counts"].keys() == {"aside"}
    assert "aside" not in catalog.load("digits-development")
    assert len(reads) == 2


def test_a_changed_source_prepares_again(
    run: Any, reads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    monkeypatch.setattr(Digits, "files", lambda _self: [source])
    for content in (b"one", b"one", b"two"):
        source.write_bytes(content)
        run()
    assert len(reads) == 2


def test_data_from_elsewhere_is_overwritten_by_the_same_alone(
    run: Any, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    other = DataParameters(val_fraction=0.2, test_fraction=0.2, train_size=101)
    monkeypatch.setattr(Digits, "origin", "elsewhere")
    with pytest.raises(UserError, match=r"another folder .*delete"):
        run(other)
    assert run()["origin"] == "elsewhere"  # the same images, moved
    assert sum(run(other)["counts"]["train"]) == 101
    assert len(reads) == 2


@pytest.mark.parametrize(
    "harm",
    ["other images", "no images", "half the images", "no card", "half a card", "damaged card"],
)
def test_splits_that_differ_from_their_card_are_prepared_again(
    run: Any, reads: list[str], catalog: DataCatalog, tmp_path: Path, harm: str
) -> None:
    card = run()
    train = tmp_path / "development" / "train.safetensors"
    if harm == "other images":  # as after an interruption between two splits
        save_file(dict(catalog.load("digits-test")["test"]()), train)
    elif harm == "no images":
        train.unlink()
    elif harm == "half the images":  # as after an interruption of an earlier version of them
        written = tmp_path / "test" / "test.safetensors"
        written.write_bytes(written.read_bytes()[: written.stat().st_size // 2])
    elif harm == "no card":
        (tmp_path / "card.json").unlink()
    elif harm == "half a card":
        (tmp_path / "card.json").write_text('{"name": "digits"}')
    else:
        (tmp_path / "card.json").write_text(json.dumps({**card, "counts": 5}))
    assert run() == card
    assert len(reads) == 2
    assert catalog.load("digits-splits").matching(card["key"], DATA.images) is not None


def test_a_split_that_is_cut_off_is_named(run: Any, catalog: DataCatalog, tmp_path: Path) -> None:
    run()
    written = tmp_path / "development" / "val.safetensors"
    written.write_bytes(written.read_bytes()[:100])
    with pytest.raises(UserError, match=r"val\.safetensors is damaged .*data_preparation"):
        catalog.load("digits-development")["val"]()


def test_the_log_names_the_split(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            run(replace(DATA, fold=3))
    told = [line for line in caplog.messages if line.startswith("digits, split 3: ")]
    assert [line.partition(": ")[2][:8] for line in told] == ["10 class", "prepared"]
