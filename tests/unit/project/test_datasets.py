"""The catalog's own datasets, and that the catalog keeps whatever the pipelines make."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import torch
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, DatasetError

from sakd.data import Splits
from sakd.data.parameters import DataParameters
from sakd.pipelines import data_preparation, evaluate, report, students, teacher
from sakd.project.copies import CopiedWeightsDataset
from sakd.project.datasets import (
    CellStoreDataset,
    FolderDataset,
    Handle,
    SealedJSONDataset,
    SealedTableDataset,
    SplitsDataset,
    SplitStoreDataset,
    WeightsDataset,
)
from sakd.settings import CONFIG_LOADER_ARGS
from sakd.study.grid import Grid
from sakd.study.parameters import Parameters
from sakd.study.parsing import parse_parameters
from sakd.weights.saved import Weights

STAGES = (data_preparation, teacher, students, evaluate, report)


def test_weights_and_card_come_back_as_they_were(tmp_path: Path) -> None:
    dataset = WeightsDataset(filepath=str(tmp_path / "teacher.safetensors"))
    assert not dataset.exists()
    dataset.save(Weights({"weight": torch.arange(3)}, {"network": "resnet8"}))
    assert dataset.exists()
    found = dataset.load()
    assert torch.equal(found.state["weight"], torch.arange(3))
    assert found.card["network"] == "resnet8"


def test_a_folder_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    dataset = FolderDataset(filepath=str(tmp_path / "report" / "tables"))
    assert not dataset.exists()
    dataset.save({"first.csv": b"1", "second.csv": b"2"})
    dataset.save({"first.csv": b"3"})
    assert dataset.load() == {"first.csv": b"3"}
    with pytest.raises(OSError, match="no/folder"):
        dataset.save({"first.csv": b"4", "no/folder": b"5"})
    assert dataset.load() == {"first.csv": b"3"}
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["tables"]


def test_missing_weights_say_so(tmp_path: Path) -> None:
    dataset = WeightsDataset(filepath=str(tmp_path / "teacher.safetensors"))
    with pytest.raises(DatasetError, match=r"no weights at .*: train again"):
        dataset.load()


def test_a_copy_that_is_damaged_is_named_and_gives_no_weights(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "teacher.safetensors"
    dataset = CopiedWeightsDataset(filepath=str(path))
    dataset.save(Weights({"weight": torch.arange(3)}, {"network": "resnet8"}))
    assert dataset.load().card["network"] == "resnet8"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert dataset.load() == Weights({})
    assert f"{path} is damaged" in caplog.text


def test_the_preview_is_the_card(tmp_path: Path) -> None:
    dataset = WeightsDataset(filepath=str(tmp_path / "teacher.safetensors"))
    dataset.save(Weights({"weight": torch.arange(3)}, {"network": "resnet8"}))
    assert json.loads(str(dataset.preview()))["network"] == "resnet8"


FRAME = pd.DataFrame({"cell": ["a", "b"], "top1": [1 / 3, 0.5]})


@pytest.mark.parametrize("name", ["history.csv", "routing.parquet"])
def test_a_damaged_table_is_one_line_with_the_remedy(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    dataset = SealedTableDataset(filepath=str(path), remedy="run --pipelines evaluate")
    assert not dataset.exists()
    dataset.save(FRAME)
    pd.testing.assert_frame_equal(dataset.load(), FRAME)
    assert "0.5" in str(dataset.preview())
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    os.utime(path, ns=(0, 1))
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert str(caught.value).startswith(f"{path} is damaged (")
    assert str(caught.value).endswith("): run --pipelines evaluate")
    dataset.save(FRAME)
    pd.testing.assert_frame_equal(dataset.load(), FRAME)


def test_a_damaged_object_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    dataset = SealedJSONDataset(filepath=str(path), remedy="run --pipelines students")
    dataset.save({"mean": [0.5], "nll": float("inf")})
    assert dataset.load() == {"mean": [0.5], "nll": float("inf")}
    assert json.loads(str(dataset.preview()))["mean"] == [0.5]
    path.write_text(path.read_text().replace("0.5", "0.7"))
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert str(caught.value).startswith(f"{path} is damaged (")
    assert str(caught.value).endswith("): run --pipelines students")


def test_tables_and_objects_without_a_checksum_are_read(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "history.csv", index=False)
    table = SealedTableDataset(filepath=str(tmp_path / "history.csv"))
    pd.testing.assert_frame_equal(table.load(), FRAME)
    (tmp_path / "card.json").write_text('{"mean": [0.5]}')
    assert SealedJSONDataset(filepath=str(tmp_path / "card.json")).load() == {"mean": [0.5]}


@pytest.mark.parametrize("kind", [CellStoreDataset, SplitStoreDataset])
def test_a_store_is_reached_through_a_handle(kind: type[Handle], tmp_path: Path) -> None:
    dataset = kind(filepath=str(tmp_path / "store"))
    assert dataset.exists()
    handle = dataset.load()
    assert not (tmp_path / "store").exists()
    with pytest.raises(DatasetError, match="is written through the handle"):
        dataset.save(handle)


def test_splits_are_read_one_by_one_and_are_there_once_written(
    splits: Splits, tmp_path: Path
) -> None:
    store = SplitStoreDataset(filepath=str(tmp_path)).load()
    development = SplitsDataset(filepath=str(tmp_path / "development"))
    assert not development.exists()
    store.write(splits)
    assert development.exists()
    found = development.load()
    assert sorted(found) == ["train", "val"]
    assert torch.equal(found["val"]()["labels"], splits.val.labels)
    development.save(store.development)
    with pytest.raises(DatasetError, match="no test"):
        development.save(store.test)


class TestCatalog:
    @pytest.fixture
    def catalog(self, root: Path) -> DataCatalog:
        loader = OmegaConfigLoader(str(root / "conf"), env="local", **CONFIG_LOADER_ARGS)
        return DataCatalog.from_config(loader["catalog"])

    @pytest.fixture(params=["shared", "per_seed"])
    def parameters(self, request: pytest.FixtureRequest) -> Parameters:
        pairs = ("resnet20/resnet8", "wrn_40_2/wrn_16_2", "resnet20/wrn_16_1")
        data = DataParameters(test_fraction=0.2, splits=request.param)
        return Parameters(data=data, grid=Grid(pairs=pairs, seeds=(0, 1)))

    def test_every_dataset_of_every_pipeline_is_kept(
        self, catalog: DataCatalog, parameters: Parameters
    ) -> None:
        for stage in STAGES:
            pipeline = stage.create_pipeline(parameters)
            for name in pipeline.datasets():
                handed_on = name.startswith("params:") or name.endswith(("-measured", "-collected"))
                assert handed_on or name in catalog, name

    def test_no_two_datasets_share_a_file(
        self, catalog: DataCatalog, parameters: Parameters
    ) -> None:
        made = set().union(*(stage.create_pipeline(parameters).all_outputs() for stage in STAGES))
        kept = [name for name in sorted(made) if name in catalog]
        assert len({str(catalog.get(name)) for name in kept}) == len(kept) > 20

    def test_each_node_makes_its_own(self, parameters: Parameters) -> None:
        outputs = [o for stage in STAGES for n in stage.create_pipeline(parameters).nodes
                   for o in n.outputs]  # fmt: skip
        assert len(set(outputs)) == len(outputs)

    def test_what_is_read_again_has_a_checksum(self, root: Path) -> None:
        loader = OmegaConfigLoader(str(root / "conf"), env="local", **CONFIG_LOADER_ARGS)
        again = ("/06_models/", "/07_model_output/", "/03_primary/", "/results.csv")
        own = [e for name, e in loader["catalog"].items() if "@{revision}" not in name]
        read = [e for e in own if any(part in e["filepath"] for part in again)]
        plain = [e for e in read if not e["type"].startswith("sakd.project.")]
        assert read
        assert plain == []

    def test_pages_are_utf_8_in_every_locale(self, root: Path) -> None:
        loader = OmegaConfigLoader(str(root / "conf"), env="local", **CONFIG_LOADER_ARGS)
        pages = [e for e in loader["catalog"].values() if e["type"] == "text.TextDataset"]
        assert len(pages) == len(("report.md", "report.html"))
        for entry in pages:
            ways = [entry["fs_args"][way] for way in ("open_args_load", "open_args_save")]
            assert [way["encoding"] for way in ways] == ["utf-8", "utf-8"]

    def test_every_dataset_has_a_layer(self, root: Path) -> None:
        loader = OmegaConfigLoader(str(root / "conf"), env="local", **CONFIG_LOADER_ARGS)
        for name, entry in loader["catalog"].items():
            assert entry["metadata"]["kedro-viz"]["layer"], name


def test_a_pipeline_is_made_of_the_settings_alone() -> None:
    parameters = parse_parameters({"grid": {"pairs": ["resnet20/resnet8"], "seeds": "0+1+2"}})
    nodes = {node.name for stage in STAGES for node in stage.create_pipeline(parameters).nodes}
    assert {f"students.resnet20-resnet8.seed_{seed}" for seed in range(3)} <= nodes
