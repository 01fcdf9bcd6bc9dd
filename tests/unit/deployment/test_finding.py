"""A model is found by its id, its folder or its file; what cannot be used is one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sakd.deployment.finding import find
from sakd.foundation.errors import UserError
from sakd.foundation.sealing import read_sealed, write_sealed


@pytest.fixture
def store(trained: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the store, to change."""
    return Path(shutil.copytree(trained[0], tmp_path / "06_models"))


@pytest.fixture
def folder(store: Path, trained: tuple[Path, str]) -> Path:
    """The folder of its training."""
    (found,) = store.glob(f"toys/cells/*/{trained[1]}/*/")
    return found


def test_a_cell_is_found_by_its_id_and_by_its_folders(
    store: Path, folder: Path, trained: tuple[Path, str]
) -> None:
    for name in (trained[1], str(folder.parent), str(folder)):
        found = find(name, store)
        assert found.path == folder / "last.safetensors"
        assert found.record is not None
        assert found.record.id == trained[1]
        assert found.cells is not None
        assert found.cells.root == store / "toys" / "cells"
    assert find(trained[1], store, "best").path == folder / "best.safetensors"


def test_a_file_is_found_where_it_lies(folder: Path, tmp_path: Path) -> None:
    file = folder / "best.safetensors"
    assert find(str(file), tmp_path / "none").path == file


def test_an_unknown_name_has_its_near_matches(store: Path, trained: tuple[Path, str]) -> None:
    with pytest.raises(UserError, match=f"'toys-resnet14.*did you mean '{trained[1]}'"):
        find(trained[1].replace("kd", "kb"), store)
    with pytest.raises(UserError, match=r"'toy'.*no cells in .*another store"):
        find("toy", store / "none")


def test_of_many_names_a_message_has_the_nearest_alone(
    store: Path, folder: Path, trained: tuple[Path, str]
) -> None:
    for number in range(20):
        shutil.copytree(folder.parent, folder.parents[1] / f"toys-other-s{number}")
    with pytest.raises(UserError) as found:
        find(trained[1].replace("kd", "kb"), store)
    assert trained[1] in str(found.value)
    assert "known: " not in str(found.value)
    assert "? Or name an exported folder" in str(found.value)
    with pytest.raises(UserError, match=r"'x'; known: (\S+ ){8}\.\.\.; or name an exported"):
        find("x", store)


def test_a_folder_without_a_model_is_named_and_no_list_of_others(
    store: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        UserError, match=r"the folder .* neither a model.safetensors.*: name"
    ) as found:
        find(tmp_path, store)
    assert "toys" not in str(found.value).replace(str(tmp_path), "")


def test_a_cell_without_a_training_is_not_finished(store: Path, folder: Path) -> None:
    (folder.parents[1] / "toys-started-s0").mkdir()
    with pytest.raises(UserError, match="toys-started-s0 is not finished: run the study again"):
        find("toys-started-s0", store)


def test_a_training_that_did_not_end_well_is_no_model(
    store: Path, folder: Path, trained: tuple[Path, str]
) -> None:
    record = folder / "record.json"
    write_sealed(record, read_sealed(record) | {"status": "failed", "error": "loss is NaN"})
    with pytest.raises(UserError, match=r"failed \(loss is NaN\): mend"):
        find(trained[1], store)
    record.unlink()
    with pytest.raises(UserError, match="is not finished: run the study again"):
        find(trained[1], store)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "found"), [(cut, "cut off"), (flip, "damaged"), (Path.unlink, "missing")]
)
def test_a_cell_with_a_spoilt_file_is_no_model_and_one_line_says_so(
    spoil: Callable[[Path], None],
    found: str,
    store: Path,
    folder: Path,
    trained: tuple[Path, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(folder / "best.safetensors")
    with pytest.raises(UserError, match=rf"best.safetensors is {found} in .*: run the study again"):
        find(trained[1], store)
    assert caplog.messages == []


def test_of_two_finished_trainings_the_folder_must_be_named(
    store: Path, folder: Path, trained: tuple[Path, str]
) -> None:
    other = Path(shutil.copytree(folder, folder.with_name("0123456789ab")))
    with pytest.raises(UserError, match=f"trained 2 times: name the folder, .*{other.name}"):
        find(trained[1], store)
    assert find(other, store).path == other / "last.safetensors"
    (other / "record.json").unlink()
    assert find(trained[1], store).path == folder / "last.safetensors"
