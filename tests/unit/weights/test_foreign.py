"""State dicts as others save them are found; nothing else is read."""

from __future__ import annotations

import pickle
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sakd.foundation.errors import UserError
from sakd.weights.foreign import read_state

STATE = {"conv.weight": torch.arange(6.0).view(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def assert_read(path: Path) -> None:
    state = read_state(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], value) for name, value in STATE.items())


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in STATE.items()}


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "weights.safetensors")
    assert_read(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"model": STATE, "epoch": 240, "best_acc": torch.tensor(69.1)},
        {"opt": Namespace(model="resnet8"), "model": STATE},
        {"net": {"state_dict": prefixed("module.")}, "optimizer": {"state": {}}},
        prefixed("_orig_mod.module."),
    ],
    ids=["bare", "with an epoch", "with options", "wrapped twice", "parallel"],
)
def test_a_state_dict_is_found_where_training_scripts_put_it(
    content: dict[str, Any], tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "weights.pth")
    assert_read(tmp_path / "weights.pth")


class Trap:
    """Leaves a mark when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("sprung"),)


def test_nothing_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": STATE, "trap": Trap()}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"holds more than weights.*save the state dict alone"):
        read_state(tmp_path / "weights.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(UserError, match=r"old.pth"):
        read_state(tmp_path / "old.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.pth", b"not a file of torch", "no file of weights"),
        ("a.safetensors", b"not safe", "is damaged, or no file of weights"),
        ("a.pth", b"", "no file of weights"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: bytes, complaint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        read_state(tmp_path / name)


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there are no weights at .*nothing.pth"):
        read_state(tmp_path / "nothing.pth")
    with pytest.raises(UserError, match="is a folder: name the file"):
        read_state(tmp_path)


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ({"epoch": 3, "accuracy": 0.5}, "epoch, accuracy"),
        ({0: torch.zeros(2)}, "0"),
        ([1, 2], "no names"),
    ],
)
def test_a_file_without_state_dict_says_what_it_holds(
    content: object, held: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=rf"has no state dict: it holds {held}; expected"):
        read_state(tmp_path / "weights.pth")
